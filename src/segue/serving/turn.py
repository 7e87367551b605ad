"""One turn of a shard: what waits is taken together, a step a round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from segue.ranking.diversity import who_had
from segue.serving.admission import admitted
from segue.serving.bundle import Bundle
from segue.serving.events import LiveEvent, Observed
from segue.serving.fold import absorb_all, blank
from segue.serving.lists.answer import allowed_of, left_out
from segue.serving.lists.asks import Question, with_rules
from segue.serving.memories import Memories
from segue.serving.policy import Policy
from segue.serving.store.base import Change, EventKey, Memory, Store, StoredEvent
from segue.serving.task import Done, Task, given_event


@dataclass
class Turn:
    """What is known, and what is to be stored and answered, in one turn.

    Attributes:
        bundle: the same for all of it, whatever is swapped meanwhile.
        now: the present in Unix seconds.
        policy: how events count.
        store, remembered: where users' items, and what a late event takes to fold anew, come from.
        memories: of the users of this turn, as they are by now.
        changes: what is to be committed, by user.
        earlier: events that are stored under the event ids of this turn.
        questions: what lists are wanted, with the place of the task.
    """

    bundle: Bundle
    now: float
    policy: Policy
    store: Store
    remembered: Memories
    memories: dict[str, Memory]
    changes: dict[str, Change] = field(default_factory=dict)
    earlier: dict[EventKey, StoredEvent] = field(default_factory=dict)
    questions: list[tuple[int, Question]] = field(default_factory=list)

    def run(self, tasks: Sequence[Task]) -> list[Done]:
        """Play all rounds; what became of the events. Lists are still to be made from `questions`."""
        self.memories |= {key_of(n, task): blank(self.bundle) for n, task in enumerate(tasks) if task.user_id is None}
        self.earlier |= self.store.find({key for task in tasks for key in keys_of(task)})
        done = [Done(self.bundle) for _ in tasks]
        for round_ in rounds(tasks):
            self.play(tasks, round_, done)
        return done

    def play(self, tasks: Sequence[Task], round_: list[tuple[int, int]], done: list[Done]) -> None:
        """One round: at most one event or one question of each user, the events in one step."""
        stepping: list[tuple[str, StoredEvent]] = []
        given: list[tuple[str, StoredEvent]] = []
        for place, number in round_:
            task = tasks[place]
            if number == wants_of(task):
                question = self.question(place, task)
                if task.ask is not None and task.ask.explain:
                    question = question._replace(explain=True)
                    done[place].history, done[place].moment = self.history(task), question.now
                self.questions.append((place, question))
                continue
            if task.user_id is None:
                given.append((key_of(place, task), given_event(task, number)))
                continue
            user_id, event = task.user_id, task.events[number]
            observed, stored = self.taken(user_id, event)
            done[place].observed.append(observed)
            if stored is not None:
                stepping.append((user_id, stored))
        self.stepped([*stepping, *given])
        for user_id, stored in stepping:
            change = self.changes.setdefault(user_id, Change(user_id, [], self.memories[user_id]))
            change.events.append(stored)
            change.memory = self.memories[user_id]
            if stored.event_id is not None:
                self.earlier[user_id, stored.event_id] = stored

    def stepped(self, stepping: list[tuple[str, StoredEvent]]) -> None:
        """Put the memories of some users after one more event each."""
        in_order = [one for one in stepping if not self.is_early(self.memories[one[0]], one[1].time)]
        if in_order:
            users = [user_id for user_id, _ in in_order]
            after = absorb_all(self.bundle, [self.memories[user] for user in users], [event for _, event in in_order])
            self.memories.update(zip(users, after, strict=True))
        for user_id, event in stepping:
            if self.policy.late == "refold" and self.is_early(self.memories[user_id], event.time):
                pending = [*self.changes[user_id].events, event] if user_id in self.changes else [event]
                last = {user_id: self.memories[user_id].seq}
                self.memories |= self.remembered.refolded(self.bundle, last, {user_id: pending})

    def is_early(self, memory: Memory, time: float) -> bool:
        """Whether an event takes its place before others."""
        return self.policy.late == "refold" and memory.moment is not None and time < memory.moment.time

    def taken(self, user_id: str, event: LiveEvent) -> tuple[Observed, StoredEvent | None]:
        """Whether an event is stored, and as what."""
        earlier = None if event.event_id is None else self.earlier.get((user_id, event.event_id))
        memory = self.memories[user_id]
        return admitted(event, memory, earlier, bundle=self.bundle, now=self.now, policy=self.policy)

    def question(self, place: int, task: Task) -> Question:
        """What the list of a task is made from, as things stand in its round."""
        ask, bundle = task.ask, self.bundle
        assert ask is not None
        excluding = bundle.exclude if ask.exclude is None else ask.exclude
        allowed = allowed_of(bundle, ask)
        if task.user_id is None:
            unknown = [item_id for item_id in task.items if bundle.item_ids.place_of(item_id) < 0]
            memory = self.memories[key_of(place, task)]
            if len(unknown) == len(task.items):
                # nothing is known of one whose items are all unknown
                memory = blank(bundle)._replace(seq=memory.seq)
            question = Question(
                memory,
                ask.timestamp,
                ask.k,
                left_out(bundle, memory, task.items, ask.timestamp, excluding),
                [*unknown, *allowed.unknown_items],
                allowed.items,
                allowed.unknown_categories,
            )
            return self.diversified(with_rules(question, ask, bundle, self.now), task)
        memory, now = self.memories[task.user_id], self.now if ask.timestamp is None else ask.timestamp
        seen = self.had(task) if excluding == "seen" else []
        out = left_out(bundle, memory, seen, now, excluding)
        question = Question(memory, now, ask.k, out, allowed.unknown_items, allowed.items, allowed.unknown_categories)
        return self.diversified(with_rules(question, ask, bundle, self.now), task)

    def had(self, task: Task) -> Sequence[str]:
        """The items that the user of a task had, those of this turn among them; or the given ones."""
        if task.user_id is None:
            return task.items
        change = self.changes.get(task.user_id)
        return [*self.store.item_ids(task.user_id), *(event.item_id for event in (change.events if change else ()))]

    def history(self, task: Task) -> Sequence[StoredEvent]:
        """The last events of the user of a task, as many as a state is folded from; or the given ones."""
        if task.user_id is None:
            return [given_event(task, number) for number in range(len(task.items))]
        change = self.changes.get(task.user_id)
        most = self.policy.refold_events or self.bundle.window
        return self.remembered.history(task.user_id, most, change.events if change else ())[-most:]

    def diversified(self, question: Question, task: Task) -> Question:
        """The same with the wish for a list that is less of the same."""
        wish = None if task.ask is None else task.ask.diverse
        if wish is None:
            return question
        who = who_had(task.items) if task.user_id is None else task.user_id
        wish = wish.drawn_by(who, question.memory.seq)
        return question._replace(diverse=wish._replace(past=self.had(task)) if wish.needs_past else wish)


def keys_of(task: Task) -> list[EventKey]:
    """The event ids that a task brings."""
    return [(str(task.user_id), event.event_id) for event in task.events if event.event_id is not None]


def wants_of(task: Task) -> int:
    """How many steps come before its list."""
    return len(task.events) if task.user_id is not None else len(task.items)


def key_of(place: int, task: Task) -> str:
    """Under what name its memory is in a turn: the user's, or one that no user has."""
    return f"\0{place}" if task.user_id is None else task.user_id


def rounds(tasks: Sequence[Task]) -> list[list[tuple[int, int]]]:
    """Pairs (task, number of its event or given item, and after the last for its list), one a user and round.

    What one user wants is in the order in which it came; users do not wait for each other.
    """
    found: list[list[tuple[int, int]]] = []
    next_round: dict[str, int] = {}
    for place, task in enumerate(tasks):
        begin = 0 if task.user_id is None else next_round.get(task.user_id, 0)
        wants = wants_of(task) + (task.ask is not None)
        for number in range(wants):
            if begin + number == len(found):
                found.append([])
            found[begin + number].append((place, number))
        if task.user_id is not None:
            next_round[task.user_id] = begin + wants
    return found
