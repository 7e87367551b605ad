"""Which column of a log means what: the names that segue and its peers' data sets use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segue.errors import ConfigError, LogError, did_you_mean

# Compared in lower case, without spaces, `_`, `-` and RecBole's `:token`. Earlier names win.
NAMES: dict[str, tuple[str, ...]] = {
    "item_id": (
        *(
            "itemid",
            "item",
            "iid",
            "productid",
            "productsku",
            "productcode",
            "product",
            "movieid",
            "articleid",
            "sku",
            "skuid",
        ),
        # Amazon's reviews: variants of a product share the parent, which its items table is keyed by.
        *("parentasin", "asin", "stockcode", "trackid", "songid", "contentid", "videoid", "bookid", "isbn"),
        *("newsid", "aid", "artistid", "appid", "gameid", "businessid", "venueid", "poiid", "locationid"),
        *("adid", "courseid", "recipeid", "animeid"),
    ),
    "user_id": (
        *("userid", "user", "uid", "customerid", "customer", "visitorid", "visitor", "reviewerid", "clientid"),
        *("accountid", "memberid", "buyerid", "profileid", "personid", "deviceid", "username", "uuid"),
    ),
    "session_id": ("sessionid", "session", "sid", "visitid", "usersession"),
    "time": (
        *("timestamp", "timestampms", "ts", "unixtime", "unixreviewtime", "unixtimestamp", "datetime"),
        *("eventtime", "eventtimestamp", "time", "createdat", "invoicedate", "date", "eventdate"),
        *("purchasedate", "orderdate", "tdat", "reviewtime", "when"),
    ),
    "order": ("position", "pos", "sequencenumber", "eventindex"),
    "event_type": (
        *("eventtype", "event", "action", "actiontype", "behavior", "behaviortype", "behaviour"),
        *("behaviourtype", "interactiontype", "eventname", "type"),
    ),
    "weight": ("weight",),
    "split": ("split",),
}
OPTIONS = {
    role: role.removesuffix("_id").removeprefix("event_") + "_col" for role in NAMES
}  # user_id -> user_col, event_type -> type_col


@dataclass(frozen=True)
class Columns:
    """What the columns of one table were taken for.

    Attributes:
        by_role: column by role; a role that the table lacks is absent.
        features: column by the name it was asked for.
        notes: one sentence each.
    """

    by_role: Mapping[str, str]
    features: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return list(dict.fromkeys([*self.by_role.values(), *self.features.values()]))


def plain(name: str) -> str:
    """A column's name as it is compared.

    >>> plain("Customer ID"), plain("user_id:token")
    ('customerid', 'userid')
    """
    return name.split(":")[0].strip().lower().translate({ord(mark): None for mark in " _-"})


def pick(name: str, columns: Sequence[str], *, table: str, option: str) -> str:
    """The column that the user asked for by `name`, else a ConfigError."""
    for same in (lambda column: column == name, lambda column: plain(column) == plain(name)):
        for column in columns:
            if same(column):
                return column
    flag = "--" + option.replace("_", "-")
    raise ConfigError(
        f"`{option}` ({flag}) names `{name}`, which is not a column of {table}{did_you_mean(name, columns)}"
    )


def candidates(role: str, columns: Sequence[str], *, further: Iterable[str] = ()) -> list[str]:
    """The columns that may have this role, best first."""
    names = (*NAMES[role], *further)
    found = [(names.index(plain(column)), place) for place, column in enumerate(columns) if plain(column) in names]
    return [columns[place] for _, place in sorted(found)]


def find_columns(
    columns: Sequence[str], *, table: str, asked: Mapping[str, str | None], features: Sequence[str] = ()
) -> Columns:
    """Find each role's column.

    Args:
        columns: all that the table has.
        table: its name, for messages.
        asked: the user's own choice by role; None or absent: find it.
        features: further columns to read.

    Raises:
        ConfigError: a column that was asked for does not exist.
        LogError: there is no item, no user or session, or no time or order.
    """
    by_role = {r: pick(n, columns, table=table, option=OPTIONS[r]) for r, n in asked.items() if n is not None}
    by_feature = {name: pick(name, columns, table=table, option="feature_cols") for name in features}
    notes, rivals = [], dict.fromkeys(by_role, "")
    free = [column for column in columns if column not in {*by_role.values(), *by_feature.values()}]
    for role in NAMES:
        found = [column for column in candidates(role, free) if column not in by_role.values()]
        if role in by_role or not found or (role == "order" and "time" in by_role):
            continue
        by_role[role] = found[0]
        others = ", ".join(f"`{column}`" for column in found[1:])
        rivals[role] = f" ({others} would do too: choose with `{OPTIONS[role]}`)" if others else ""
    _require(by_role, columns, table)
    notes = [f"{role} from column `{by_role[role]}`{rivals[role]}" for role in NAMES if role in by_role]
    unused = [column for column in columns if column not in {*by_role.values(), *by_feature.values()}]
    if unused:
        notes.append("columns not used: " + ", ".join(f"`{column}`" for column in unused))
    return Columns(by_role, by_feature, tuple(notes))


def _require(by_role: Mapping[str, str], columns: Sequence[str], table: str) -> None:
    for what, roles in (
        ("the item", ["item_id"]),
        ("the user or the session", ["user_id", "session_id"]),
        ("the time or the order", ["time", "order"]),
    ):
        if not any(role in by_role for role in roles):
            raise missing(what, roles, columns, table)


def missing(
    what: str, roles: Sequence[str], columns: Sequence[str], table: str, *, flag: str | None = None
) -> LogError:
    """The error on a table without a column for `what`; `flag` is the option that names it, if not that of the log."""
    looked_for = ", ".join(name for role in roles for name in NAMES[role])
    options = " or ".join(f"`{OPTIONS[role]}` ({flag or '--' + OPTIONS[role].replace('_', '-')})" for role in roles)
    found = ", ".join(f"`{column}`" for column in columns) or "none"
    message = (
        f"{table} has no column that is known to hold {what}: found {found}; looked for {looked_for} "
        f"(in any case, with or without `_`); say which it is with {options}"
    )
    if columns and all(any(letter.isdigit() for letter in column) for column in columns):
        message += "; the first line looks like data: does the file lack a header line?"
    return LogError(message)
