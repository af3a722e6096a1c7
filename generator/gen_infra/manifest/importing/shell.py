"""Read ``aws batch register-job-definition`` command lines out of shell scripts, without running anything."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_REGISTER = "register-job-definition"
_SEPARATORS = "\n;&|()"
_ESCAPED = ("\\", '"', "$", "`", "\n")
# $(cat job.json), $(<job.json) and $(cat <<EOF … EOF): ways to put a file's text into an argument.
_CAT_FILE = re.compile(r"\$\(\s*(?:cat\s+|<\s*)(?P<file>[^\s<>|]+)\s*\)")
_CAT_HEREDOC = re.compile(r"\$\(\s*cat\s*<<-?\s*(['\"]?)(?P<end>\w+)\1\s*\n(?P<text>.*?)\n\s*(?P=end)\s*\)", re.DOTALL)
_HEREDOC = re.compile(r"(?<!<)<<(?!<)-?\s*(?P<quote>['\"]?)(?P<end>[A-Za-z_]\w*)(?P=quote)")
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)=")
_VARIABLE = re.compile(r"\$\{?(?P<name>\w+)\}?")
_BARE_VARIABLE = re.compile(r"(?<=[:\[,])(\s*)(\$\w+|\$\{\w+\})(?=\s*[,}\]])")
_STRUCTURES = {
    "containerProperties", "nodeProperties", "ecsProperties", "eksProperties", "consumableResourceProperties",
    "parameters", "retryStrategy", "timeout", "tags",
}  # fmt: skip


class UnreadableError(ValueError):
    """A command that cannot be read, with the reason."""


@dataclass
class _Command:
    words: list[str] = field(default_factory=list)
    heredoc: str = ""


def definitions(script: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each register-job-definition command's arguments, in the API's spelling, and why they are unusable (or "").

    ``--retry-strategy attempts=3`` becomes ``{"retryStrategy": {"attempts": "3"}}``. Files that the script writes with
    a here-document, and variables that it sets, are used where an argument is nothing but one of them.
    """
    yield from _definitions(script, {})


def _definitions(script: str, texts: dict[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
    for command in _Script(script).commands():
        if _REGISTER in command.words:
            yield _arguments(command.words[command.words.index(_REGISTER) + 1 :], texts)
        for word in command.words:  # ARN=$(aws batch register-job-definition …)
            if _REGISTER in word and "$(" in word:
                yield from _definitions(word[word.index("$(") + 2 : word.rindex(")")], texts)
        for before, word in zip(["", *command.words], command.words, strict=False):
            if command.heredoc and before in (">", "tee"):
                texts[word] = command.heredoc
            elif before in ("", "export", "local") and (assigned := _ASSIGNMENT.match(word)):
                texts[f"${assigned['name']}"] = word[assigned.end() :]


def _arguments(words: list[str], texts: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Return the options of one command; a list has several words, a flag none."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for word in words:
        if word in ("<", ">"):
            if len(current) > 1 and current[-1] == "2":  # of 2>&1
                current.pop()
            break
        if word.startswith("--"):
            option, equals, value = word[2:].partition("=")
            current = found.setdefault(re.sub("-([a-z])", lambda letter: letter.group(1).upper(), option), [])
            current += [value] if equals else []
        else:
            current.append(word)
    arguments: dict[str, Any] = {}
    problem = ""
    for option, values in found.items():
        try:
            value = _argument(option, values, texts)
        except UnreadableError as error:
            problem = problem or str(error)
            continue
        if option in ("cliInputJson", "cliInputYaml"):
            arguments = {**(value if isinstance(value, dict) else {}), **arguments}
        else:
            arguments[option] = value
    return arguments, problem


def _argument(option: str, values: list[str], texts: dict[str, str]) -> Any:
    if not values:
        return not option.startswith("no")
    text = _text(values[0], texts)
    if option == "cliInputYaml":
        try:
            return yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError):
            raise UnreadableError("the YAML of --cli-input-yaml is invalid") from None
    if text.startswith(("{", "[")) and option not in ("jobDefinitionName", "type"):
        return _json(text, option)
    if option == "platformCapabilities":
        return [part for value in values for part in value.split(",")]
    if option in _STRUCTURES and "=" in text:
        return _Shorthand(",".join(values)).read()
    return text


def _text(word: str, texts: dict[str, str]) -> str:
    """Return the text of an argument, out of a file or a variable that the script sets, where it names one."""
    if (variable := _VARIABLE.fullmatch(word)) and f"${variable['name']}" in texts:
        word = texts[f"${variable['name']}"]
    if here := _CAT_HEREDOC.fullmatch(word.strip()):
        return here["text"].strip()
    cat = _CAT_FILE.fullmatch(word.strip())
    name = cat["file"] if cat else word.removeprefix("file://") if word.startswith("file://") else None
    if name is None:
        return word.strip()
    if name not in texts:
        raise UnreadableError(f"its arguments are in the file {name}; import that file instead")
    return texts[name].strip()


def _json(text: str, option: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    except RecursionError:
        raise UnreadableError(f"the JSON of {option} is nested too deeply") from None
    try:
        return json.loads(_BARE_VARIABLE.sub(r'\1"\2"', text))  # "vcpus": $VCPUS
    except (ValueError, RecursionError):
        if text.startswith("[{") or "=" in text.partition(":")[0]:
            return _Shorthand(text).value("")
        raise UnreadableError(f"the JSON of {option} is invalid") from None


class _Shorthand:
    """Read the AWS CLI's own syntax: ``attempts=3,evaluateOnExit=[{onReason=x,action=EXIT}]``.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
    """

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def read(self) -> dict[str, Any]:
        return self._pairs("")

    def _pairs(self, end: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.at < len(self.text) and self.text[self.at] != end:
            key = self._until("=" + end)
            if self.text[self.at : self.at + 1] != "=":
                raise UnreadableError("its shorthand arguments are invalid")
            self.at += 1
            found[key.strip()] = self.value("," + end)
            # command=echo,hello is a list of two words
            while self.text[self.at : self.at + 1] == ",":
                self.at += 1
                if not end and "=" not in self.text[self.at :].partition(",")[0]:
                    earlier = found[key.strip()]
                    found[key.strip()] = [*(earlier if isinstance(earlier, list) else [earlier]), self.value(",")]
                else:
                    break
        return found

    def value(self, ends: str) -> Any:
        start = self.text[self.at : self.at + 1]
        if start == "{":
            self.at += 1
            found: Any = self._pairs("}")
        elif start == "[":
            self.at += 1
            found = []
            while self.at < len(self.text) and self.text[self.at] != "]":
                found.append(self.value(",]"))
                self.at += self.text[self.at : self.at + 1] == ","
        elif start and start in "'\"":
            self.at += 1
            found = self._until(start)
        else:
            return self._until(ends)
        self.at += 1
        return found

    def _until(self, ends: str) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[start : self.at]


class _Script:
    """Split a script into commands, as a shell does; variables and $(…) stay as they are written."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text.replace("\r\n", "\n"), 0
        self.heredocs: list[str] = []

    def commands(self) -> Iterator[_Command]:
        """Yield each command of the script.

        Raises:
            ValueError: a quote, a parenthesis or a here-document is not closed.
        """
        command = _Command()
        while self.at < len(self.text):
            word = self._word()
            if word is not None:
                command.words.append(word)
            elif heredoc := _HEREDOC.match(self.text, self.at):
                self.heredocs.append(heredoc["end"])
                self.at = heredoc.end()
            elif self._ends(command):
                yield command
                command = _Command()
        yield command

    def _word(self) -> str | None:
        """Return the word that starts here, or None."""
        if self.text[self.at] == "#":
            self.at = (self.text + "\n").find("\n", self.at)
            return None
        parts: list[str] = []
        while self.at < len(self.text) and (part := self._part()) is not None:
            parts.append(part)
        return "".join(parts) if parts else None

    def _part(self) -> str | None:
        """Return the part of a word that starts here (quoted, escaped, a substitution or plain), or None."""
        character = self.text[self.at]
        if character == "\\":
            if self.text[self.at + 1 : self.at + 2] == "\n":
                self.text = self.text[: self.at] + " " + self.text[self.at + 2 :]
                return None
            self.at += 2
            return self.text[self.at - 1 : self.at]
        if character in "'\"":
            return self._quoted(character)
        if self.text.startswith("$(", self.at):
            return self._substitution()
        if character in " \t<>" or character in _SEPARATORS:
            return None
        self.at += 1
        return character

    def _ends(self, command: _Command) -> bool:
        """Step over a character between words, and return whether it ends the command."""
        character = self.text[self.at : self.at + 1]
        self.at += 1
        if character in ("<", ">"):
            command.words.append(character)
        if character == "\n" and self.heredocs:
            command.heredoc = self._bodies()  # in cat <<EOF | tee FILE, it is the last command that writes
        return character in tuple(_SEPARATORS) and not (character == "\n" and self._goes_on(command))

    def _goes_on(self, command: _Command) -> bool:
        """Return whether the next line has the next option, or the value of the last one, as published examples do."""
        if _REGISTER not in command.words:
            return False
        rest = self.text[self.at :].lstrip()[:2]
        return rest == "--" or (command.words[-1].startswith("--") and rest[:1] in ("'", '"'))

    def _bodies(self) -> str:
        """Read the here-documents whose bodies start at this line, and return the last one."""
        body = ""
        for end in self.heredocs:
            close = re.compile(rf"^[ \t]*{re.escape(end)}[ \t]*$", re.MULTILINE).search(self.text, self.at)
            if close is None:
                raise ValueError("a here-document is not closed")
            body = self.text[self.at : close.start()]
            self.at = close.end()
        self.heredocs.clear()
        return body

    def _quoted(self, quote: str) -> str:
        parts: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == quote:
                self.at += 1
                return "".join(parts)
            if quote == '"' and character == "\\" and self.text[self.at + 1 : self.at + 2] in _ESCAPED:
                parts.append(self.text[self.at + 1].replace("\n", ""))
                self.at += 2
            elif quote == '"' and self.text.startswith("$(", self.at):
                parts.append(self._substitution())
            else:
                parts.append(character)
                self.at += 1
        raise ValueError("a quote is not closed")

    def _substitution(self) -> str:
        """Return ``$(…)`` as it is written."""
        start, depth = self.at, 0
        for index in range(start + 1, len(self.text)):
            depth += {"(": 1, ")": -1}.get(self.text[index], 0)
            if not depth:
                self.at = index + 1
                return self.text[start : self.at]
        raise ValueError("a parenthesis is not closed")
