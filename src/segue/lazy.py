"""An attribute that is made when it is first asked for, without a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801  # used as a decorator, as `property` is
    """For objects that one thread has, such as those of a request.

    `functools.cached_property` would do from Python 3.12 on. Before that it holds one lock for all objects of a class
    while it makes the value of one, so that threads with objects of their own wait for each other.
    """

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        # from now on the attribute is found there, before this is asked
        value = instance.__dict__[self._name] = self._make(instance)
        return value
