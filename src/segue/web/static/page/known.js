// What is known of items, by id: titles and categories are asked for once.

const MOST = 1000; // ids in a request

export function knownItems(api) {
  const items = new Map();
  const wanted = new Set(); // asked for already

  return {
    get: (id) => items.get(id),

    /** What a search or a list said of an item. */
    add(item) {
      items.set(item.item_id, { ...items.get(item.item_id), ...item });
    },

    /** Have what is not known yet of these; whether there was any. What cannot be had now is asked for again. */
    async learn(ids) {
      const missing = [...new Set(ids)].filter((id) => items.get(id)?.known === undefined && !wanted.has(id)).slice(0, MOST);
      if (!missing.length) return false;
      missing.forEach((id) => wanted.add(id));
      try {
        const answer = await api.post("/v1/items", { item_ids: missing });
        answer.items.forEach((item) => items.set(item.item_id, item));
        return true;
      } catch (error) {
        console.warn(error); // ids do where titles cannot be had
        return false;
      } finally {
        missing.forEach((id) => wanted.delete(id));
      }
    },

    /** Another model serves: what it knows may be other things. */
    forget: () => items.clear(),
  };
}
