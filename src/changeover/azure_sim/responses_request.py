"""What does a request of the Responses API ask for? The fields that matter here; all others are accepted and ignored."""

from typing import Any, Final, cast

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.chat_request import chosen_tool, tool_form
from changeover.azure_sim.prompt import Form, Json, Prompt, document_of, marks_of, sent
from changeover.azure_sim.reasoning import RESPONSES
from changeover.azure_sim.tokens import chat_tokens

_TEXTS: Final = frozenset({"input_text", "output_text", "text"})


class Part(msgspec.Struct, frozen=True):
    type: str
    text: str = ""


class Item(msgspec.Struct, frozen=True):
    """A message, or what a tool gave (``output``), or anything else that carries no text."""

    type: str = "message"
    role: str | None = None
    content: str | list[Part] | None = None
    output: str | list[Part] | None = None

    @property
    def text(self) -> str:
        content = self.content if self.content is not None else self.output
        if isinstance(content, list):
            return "\n".join(part.text for part in content if part.type in _TEXTS)
        return content or ""


class Reasoning(msgspec.Struct, frozen=True):
    effort: str | None = None
    summary: str | None = None


class Tool(msgspec.Struct, frozen=True):
    type: str
    name: str | None = None
    parameters: Json | None = None


class TextSettings(msgspec.Struct, frozen=True):
    format: Json | None = None


class ResponsesRequest(msgspec.Struct, frozen=True):
    """``model`` names the deployment on both surfaces."""

    model: str | None = None
    input: str | list[Item] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    store: bool | None = None
    max_output_tokens: int | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: TextSettings | None = None
    reasoning: Reasoning | None = None
    metadata: Json | None = None
    temperature: float | None = None
    top_p: float | None = None
    parallel_tool_calls: bool | None = None
    top_logprobs: int | None = None

    def prompt(self, *, earlier_tokens: int, earlier_document: str) -> Prompt:
        """The last user message is worked on, or without one the earlier document. Raises ``RefusalError`` when there is neither."""
        items = [Item(role="user", content=self.input)] if isinstance(self.input, str) else self.input or []
        texts = [self.instructions or "", *(item.text for item in items)]
        document = next((document_of(item.text) for item in reversed(items) if item.role == "user"), "") or earlier_document
        if not document:
            raise refusals.malformed("expected an input with the text to summarise", param="input")
        return Prompt(
            operation=RESPONSES,
            document=document,
            tokens=earlier_tokens + chat_tokens([text for text in texts if text]),
            tokens_max=self.max_output_tokens,
            form=self._form(),
            effort=None if self.reasoning is None else self.reasoning.effort,
            settings=sent({"temperature": self.temperature, "top_p": self.top_p, "top_logprobs": self.top_logprobs}),
            marks=marks_of(texts),
        )

    def _form(self) -> Form | None:
        name, forced = chosen_tool(self.tool_choice)
        if forced:
            functions = {tool.name: tool.parameters or {} for tool in self.tools or () if tool.name is not None}
            return tool_form(functions, name=name)
        match self.text:
            case TextSettings(format={"type": "json_schema", "schema": schema}) if isinstance(schema, dict):
                return Form(schema=cast("Json", schema))
            case TextSettings(format={"type": "json_object"}):
                return Form(schema={"properties": {"summary": {"type": "string"}}})
            case _:
                return None


read_responses = msgspec.json.Decoder(ResponsesRequest).decode
