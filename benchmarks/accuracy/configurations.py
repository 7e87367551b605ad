"""What is trained on each log: settings and epochs, all of them chosen on the validation part."""

from typing import Any

RESIDUAL = {"model.block": "residual", "model.layers": 3, "train.window": 200, "train.rows": 64}
SHOP = {
    "train.loss": "bpr-max",
    "train.sampling": "popularity",
    "train.popularity_power": 0.4,
    "train.rows": 64,
    "train.window": 16,
    "train.learning_rate": 0.01,
    "model.embedding_dropout": 0.5,
    "model.dropout": 0.0,
}

CONFIGURATIONS: dict[str, dict[str, dict[str, Any]]] = {
    "ml-1m": {
        "blocks-128": {
            "cell": "mingru",
            **RESIDUAL,
            "model.width": 128,
            "model.dropout": 0.3,
            "model.embedding_dropout": 0.2,
            "train.learning_rate": 2e-3,
            "train.epochs": 16,
        },
        "blocks-256": {
            "cell": "mingru",
            **RESIDUAL,
            "model.width": 256,
            "model.convolution": 4,
            "model.dropout": 0.4,
            "model.embedding_dropout": 0.3,
            "train.learning_rate": 1.5e-3,
            "train.epochs": 14,
        },
    },
    "serenade-shop": {
        "gru": {"cell": "gru", **SHOP, "model.width": 128, "train.epochs": 10},
        "gru-cosine": {
            "cell": "gru",
            "model.width": 128,
            "model.cosine": 16.0,
            "model.dropout": 0.2,
            "model.embedding_dropout": 0.3,
            "train.loss": "sampled",
            "train.negatives": 8192,
            "train.rows": 32,
            "train.window": 16,
            "train.learning_rate": 1e-2,
            "train.epochs": 10,
        },
        "gru-cosine with neighbours": {"mix_of": "gru-cosine", "weight": 0.5},
    },
    "diginetica": {
        "gru-cosine": {
            "cell": "gru",
            "model.width": 128,
            "model.cosine": 16.0,
            "model.dropout": 0.2,
            "model.embedding_dropout": 0.3,
            "train.loss": "sampled",
            "train.negatives": 2048,
            "train.rows": 32,
            "train.window": 16,
            "train.learning_rate": 1e-2,
            "train.epochs": 8,
        },
        "gru-cosine with neighbours": {"mix_of": "gru-cosine", "weight": 0.5},
    },
    "amazon-beauty": {
        "gru-cosine": {
            "cell": "gru",
            "model.width": 128,
            "model.cosine": 16.0,
            "model.dropout": 0.4,
            "model.embedding_dropout": 0.4,
            "train.loss": "full",
            "train.rows": 32,
            "train.window": 16,
            "train.learning_rate": 3e-3,
            "train.epochs": 12,
        },
        "blocks-64": {
            "cell": "mingru",
            **RESIDUAL,
            "model.layers": 2,
            "model.width": 64,
            "model.dropout": 0.5,
            "model.embedding_dropout": 0.5,
            "train.window": 64,
            "train.rows": 32,
            "train.learning_rate": 2e-3,
            "train.epochs": 20,
        },
    },
}
"""By log and by the name of the row; `cell` is the recurrent layer, every other key a setting.

A mix names the network that it is of, and its share beside the tuned neighbours.
"""


def settings_of(log: str, name: str) -> tuple[str, dict[str, Any]]:
    """The cell and the settings of a configuration, or of the network of a mix."""
    chosen = dict(CONFIGURATIONS[log][name])
    return settings_of(log, chosen["mix_of"]) if "mix_of" in chosen else (chosen.pop("cell"), chosen)
