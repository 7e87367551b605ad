"""A trained model as a folder: written as a whole or not at all, read without running code.

segue.json          format version, what it is, and the SHA-256 of this and of every other file
config.toml         the settings it was trained with
model.safetensors   what was learned
catalog.json        item ids in order, and what is known of the items
metrics.json        how good it was when it was trained, beside the baselines
README.md           the model card
step.onnx           the step of a network, for a server without PyTorch
index.bin           what finds the best of a large catalog without a product with all of it
events.safetensors  what makes numbers of the features of events, where a network reads some
log_counts.safetensors  what the training log says of each item: what came after it, how often, when first

And where a network was trained, not read again for an answer:

replay.safetensors  the last events of some users, to be learned beside new days
content.safetensors what the item table was made of: rows of the items' own, and what their content says
curves.svg          loss and validation metric by epoch
gradients.json      norms of the gradients by parameter and epoch, where they were asked for

And what was found out later, which no hash has:

frontier.json       what diversity costs it, as `segue frontier` last measured it
"""

from segue.artifact.about import About
from segue.artifact.content import DIAGNOSIS, FILES, FORMAT, MANIFEST, Artifact, Facts
from segue.artifact.frontier import Measured, frontier_of, keep_frontier
from segue.artifact.reading import content_of, load_artifact, read_manifest, replay_of
from segue.artifact.writing import check_free, save_artifact

__all__ = [
    "DIAGNOSIS",
    "FILES",
    "FORMAT",
    "MANIFEST",
    "About",
    "Artifact",
    "Facts",
    "Measured",
    "check_free",
    "content_of",
    "frontier_of",
    "keep_frontier",
    "load_artifact",
    "read_manifest",
    "replay_of",
    "save_artifact",
]
