"""What does a chat completion ask for? The fields that matter here; all others are accepted and ignored."""

from typing import Any, Final, Literal

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.prompt import Form, Json, Prompt, document_of, marks_of, sent
from changeover.azure_sim.tokens import chat_tokens

OPERATION: Final = "chatCompletion"


class Part(msgspec.Struct, frozen=True):
    type: str
    text: str = ""


class Message(msgspec.Struct, frozen=True):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool | None = None


class Function(msgspec.Struct, frozen=True):
    name: str
    parameters: Json | None = None


class Tool(msgspec.Struct, frozen=True):
    type: str
    function: Function | None = None


class JsonSchema(msgspec.Struct, frozen=True):
    schema: Json | None = None


class ResponseFormat(msgspec.Struct, frozen=True):
    type: str
    json_schema: JsonSchema | None = None


class ChatRequest(msgspec.Struct, frozen=True):
    """``model`` names the deployment on the v1 surface and is ignored where the path names it."""

    messages: list[Message]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None
    stop: str | list[str] | None = None
    parallel_tool_calls: bool | None = None

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def prompt(self) -> Prompt:
        """The last user message is worked on. Raises ``RefusalError`` when there is none."""
        texts = [message.text for message in self.messages]
        document = next((document_of(message.text) for message in reversed(self.messages) if message.role == "user"), "")
        if not document:
            raise refusals.malformed("expected a user message with the text to summarise", param="messages")
        return Prompt(
            operation=OPERATION,
            document=document,
            tokens=chat_tokens(texts),
            tokens_max=self.max_completion_tokens or self.max_tokens,
            form=self._form(),
            effort=self.reasoning_effort,
            settings=self._settings(),
            marks=marks_of(texts),
        )

    def _settings(self) -> Json:
        names = ("max_tokens", "n", "temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs",
                 "logit_bias", "stop", "parallel_tool_calls")  # fmt: skip
        return sent({name: getattr(self, name) for name in names})

    def _form(self) -> Form | None:
        name, forced = chosen_tool(self.tool_choice)
        if forced:
            functions = {tool.function.name: tool.function.parameters or {} for tool in self.tools or () if tool.function is not None}
            return tool_form(functions, name=name)
        match self.response_format:
            case ResponseFormat(type="json_schema", json_schema=JsonSchema(schema=dict(schema))):
                return Form(schema=schema)
            case ResponseFormat(type="json_object"):
                return Form(schema={"properties": {"summary": {"type": "string"}}})
            case _:
                return None


def chosen_tool(choice: str | dict[str, Any] | None) -> tuple[str | None, bool]:
    """The tool that the caller named, and whether any must be called. Both APIs' forms are read."""
    match choice:
        case "required":
            return None, True
        case {"type": "function", "function": {"name": str(name)}} | {"type": "function", "name": str(name)}:
            return name, True
        case {"type": "allowed_tools", "mode": "required"} | {"type": "allowed_tools", "allowed_tools": {"mode": "required"}}:
            return None, True
        case _:
            return None, False


def tool_form(functions: dict[str, Json], *, name: str | None) -> Form:
    """The tool ``name``, else the first. Raises ``RefusalError`` when there is none."""
    called = name if name is not None else next(iter(functions), None)
    if called is None or called not in functions:
        found = f"found tool_choice for {called!r}" if called else "found tool_choice without tools"
        raise refusals.malformed(f"{found}; expected one of the functions in tools", param="tool_choice")
    return Form(schema={"type": "object", **functions[called]}, tool=called, by_name=name is not None)


read_chat = msgspec.json.Decoder(ChatRequest).decode
"""Raises ``msgspec.DecodeError`` for what is no JSON, ``msgspec.ValidationError`` for JSON that is no chat request."""
