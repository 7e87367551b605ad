// What is to be known of the model that serves: what a request may say, and how far to trust it.

import { answeredBy } from "./serving.js";
import { showTrust } from "./trust.js";

/** @param changed told when there are other choices. */
export function makeServed(api, { known, trust, changed }) {
  let version = null;

  return {
    choices: null,

    /** An answer came of this version; what the first list does without is asked for after it. */
    answered(now) {
      if (version !== now) {
        if (version !== null) known.forget();
        version = now;
        this.learn();
        showTrust(trust, api);
      } else if (this.choices === null) {
        this.learn();
      }
      answeredBy(now);
    },

    async learn() {
      try {
        this.choices = await api.get("/v1/choices");
        changed();
      } catch (error) {
        console.warn(error);
      }
    },
  };
}
