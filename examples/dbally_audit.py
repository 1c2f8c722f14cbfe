"""A question to a db-ally collection, with a language model that always answers the same, and a handler that looks on.

    python examples/dbally_audit.py            # goanna's tracker
    python examples/dbally_audit.py --stock    # db-ally's own

It needs db-ally and no network. Both print the same, but for the first line.
"""

import argparse
import asyncio
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import dbally
import pandas as pd
from dbally.llms.base import LLM
from dbally.llms.clients.base import LLMClient, LLMOptions
from dbally.similarity import SimilarityFetcher, SimilarityIndex, SimilarityStore
from dbally.views.pandas_base import DataFrameBaseView

from goanna import audit

PEOPLE = pd.DataFrame({"name": ["Ada", "Bob", "Cyd"], "country": ["Poland", "Chile", "Poland"], "age": [36, 41, 29]})


@dataclass
class FakeOptions(LLMOptions):
    """Nothing to choose."""


class FakeClient(LLMClient[FakeOptions]):
    """Answers by what it is asked for."""

    async def call(self, conversation: Any, options: FakeOptions, event: Any, json_mode: bool = False) -> str:
        """Return an answer that suits the prompt."""
        await asyncio.sleep(0)
        system = conversation[0]["content"]
        if "based on the table" in system:
            answer = "Ada and Cyd are from Poland."
        elif system.startswith("Given a question, determine"):
            answer = "Decision: True"
        else:
            answer = 'from_country("Polska")'
        event.completion_tokens = len(answer.split())
        return answer


class FakeLLM(LLM[FakeOptions]):
    """A model without a model."""

    _options_cls = FakeOptions

    @cached_property
    def client(self) -> FakeClient:
        """The client."""
        return FakeClient(self.model_name)


class Countries(SimilarityStore):
    """Knows what countries are called elsewhere."""

    async def store(self, data: list[str]) -> None:
        """Keep nothing."""

    async def find_similar(self, text: str) -> str | None:
        """Return the name in the table."""
        await asyncio.sleep(0)
        return {"Polska": "Poland"}.get(text)

    def __repr__(self) -> str:
        return "Countries()"


class Names(SimilarityFetcher):
    """Fetches nothing."""

    async def fetch(self) -> list[str]:
        """Return no names."""
        return []

    def __repr__(self) -> str:
        return "Names()"


class People(DataFrameBaseView):
    """The table, and the question that it can answer."""

    @dbally.decorators.view_filter()
    def from_country(self, country: Annotated[str, SimilarityIndex(Countries(), Names())]) -> pd.Series:
        """Keep those from a country."""
        return self.df.country == country


class LookOn(audit.EventHandler[str, str]):
    """Notes each call, with the contexts that it is given back."""

    def __init__(self) -> None:
        self.notes: list[tuple[Any, ...]] = []
        self.numbers = iter(range(1, 100))

    async def request_start(self, user_request: audit.RequestStart) -> str:
        """Note the question."""
        self.notes.append(("request_start", user_request.question))
        return "R"

    async def event_start(self, event: audit.Event, request_context: str) -> str:
        """Note what starts."""
        number = f"E{next(self.numbers)}"
        self.notes.append(("event_start", type(event).__name__, getattr(event, "type", ""), request_context))
        return number

    async def event_end(self, event: audit.Event | None, request_context: str, event_context: str) -> None:
        """Note what it came to."""
        result = getattr(event, "response", None) or getattr(event, "output_value", None)
        self.notes.append(("event_end", type(event).__name__, result, request_context, event_context))

    async def request_end(self, output: audit.RequestEnd, request_context: str) -> None:
        """Note the answer."""
        names = [row["name"] for row in output.result.results]
        self.notes.append(("request_end", names, output.result.textual_response, request_context))


async def ask(*handlers: Any) -> Any:
    """Put the question to a new collection with these handlers; return the result."""
    collection = dbally.create_collection("people", llm=FakeLLM("fake"), event_handlers=list(handlers))
    collection.add(People, lambda: People(PEOPLE))
    return await collection.ask("Who is from Polska?", return_natural_response=True)


def main() -> None:
    """Ask, and print what the handler has noted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stock", action="store_true", help="with db-ally's own tracker")
    if parser.parse_args().stock:
        audit.uninstall()
        print("db-ally's own tracker")
    else:
        print(audit.install())
    handler = LookOn()
    asyncio.run(ask(handler))
    for note in handler.notes:
        print(*note)


if __name__ == "__main__":
    main()
