"""Text of documents in prompts: data between marks that it cannot contain, without characters that nobody sees.

Spotlighting: Hines et al., Defending Against Indirect Prompt Injection Attacks With Spotlighting, 2024 (delimiting). No model keeps
to it always. What an obeying model writes is therefore bound to stored text as everything else is (`binding`), sentences that
speak to a model support nothing, and nothing of an answer is fetched, run or rendered.
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable

from .disguise import undisguised
from .evidence import Evidence

__all__ = ["Fence", "bare", "seen", "speaks_to_models", "visible"]

_UNSEEN = frozenset(("Cc", "Cf", "Co", "Cs", "Cn"))
_KEPT = frozenset("\n\t\u200c\u200d")
_IGNORED = "[\u034f\u115f\u1160\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]*"
_TEMPLATE = re.compile(
    rf"[<\uff1c\ufe64](?={_IGNORED}(?:[|/A-Za-z\uff5c\uff0f\uff21-\uff3a\uff41-\uff5a]|0x))"
    r"|\[(?=\||/?[A-Za-z]*[A-Z]{3}[A-Z_]*\])|\](?=~)"
)
"""What may begin a special token of a chat template; a space behind it makes it plain text. DeepSeek's have full-width bars,
Mistral's and GLM's square brackets, EXAONE's ``[|user|]``."""
_ROLE = re.compile(r"(?im)^(\s*(?:system|assistant|user|human|developer|tool)\s*)(?=[:\uff1a])")
_INSTRUCTION = re.compile(
    r"""(?ix)
    \b(?:ignore|disregard|forget|override|bypass|skip)\b[^.!?\n]{0,60}
        \b(?:instructions?|prompts?|rules?|guidelines?|directions?|questions?|documents?|everything|context|above|previous|prior|earlier)\b
    | \b(?:new|updated|real|actual|important|secret|hidden)\s+(?:system\s+)?instructions?\b
    | \bsystem\s+(?:prompt|message|instructions?|override)\b
    | \b(?:you\s+are|act\s+as|you're)\s+(?:now\s+)?(?:an?\s+)?(?:AI|assistant|language\s+model|chatbot|DAN|LLM|unrestricted|jailbroken)\b
    | \byou\s+are\s+now\s+(?:an?\b|in\b|free\b|DAN\b|the\b)
    | \byou\s+(?:must|should|shall|have\s+to|need\s+to|will)\s+(?:now\s+|always\s+|only\s+)?
        (?:answer|say|reply|respond|repeat|output|print|ignore|write)\b
    | ["']role["']\s*:\s*["'](?:system|assistant|user|developer|tool)["']
    | \b(?:as|to|dear|attention|note\s+to|hey|hello)[,:]?\s+(?:an?\s+|the\s+|any\s+|all\s+)?
        (?:AI|LLMs?|language\s+models?|assistants?|chatbots?)\b
    | \b(?:AI|assistants?|LLMs?|language\s+models?|chatbots?)\b[^.!?\n]{0,30}
        \b(?:must|should|shall|reading\s+this|are\s+instructed|is\s+instructed)\b
    | \b(?:respond|reply|answer)\s+(?:only\s+|exactly\s+|instead\s+|with\b|by\s+saying|in\s+the\s+affirmative)
    | \b(?:do\s+not|don't|never)\s+(?:tell|inform|mention|reveal\s+to|warn)\s+the\s+user\b
    | \b(?:tell|inform|instruct|convince|ask|urge)\s+(?:the|your)\s+users?\b
    | \b(?:say|print|output|write|repeat|begin|start|end|finish|append|include|insert)\b[^.!?\n]{0,40}
        \b(?:your\s+(?:answer|reply|response|output)|verbatim|the\s+following|in\s+(?:your|every|all)\s+(?:answer|reply|response)s?)\b
    | \b(?:your|the)\s+(?:answer|reply|response|output)\s+(?:must|should|has\s+to|needs\s+to)\b
    | \b(?:must|should|shall|has\s+to|needs\s+to)\s+(?:be|stand|appear|go)\b[^.!?\n]{0,30}
        \b(?:in|into|of|with)\s+your\s+(?:next\s+|final\s+)?(?:answer|reply|response|output|summary)\b
    | \b(?:reveal|leak|exfiltrate|send|post|forward|email|upload)\b[^.!?\n]{0,60}
        \b(?:conversation|system\s+prompt|prompt|secrets?|passwords?|api\s+keys?|keys?|chat\s+history|question|user's|data)\b
    | \b(?:fetch|visit|open|click|load|call|render|display)\b[^.!?\n]{0,40}(?:https?://|\burls?\b|\blink\b|!\[)
    | !\[[^\]]*\]\(
    | <\s*\|[^|\n]{1,30}\|\s*>|\[\s*/?\s*INST\s*\]|<\s*/?\s*(?:system|assistant|user|start_of_turn|end_of_turn|s)\s*>
    | <\s*/\s*(?:documents?|passages?|context|sources?|evidence|data|untrusted\w*)\s*>
    | (?:^|[>:*\]]\s*)(?:please\s+)?(?:say|repeat|reply|respond|output|print|write|answer)\s+
        (?:this|that|only|exactly|just|the\s+following|after\s+me)\b
    | (?:^|[.!?>\]]\s+)(?:assistant|system)\s*:
    | ^\s*\#{0,6}\s*(?:system|assistant|user|instructions?)\s*:
    | \b(?:end\s+of|begin|start\s+of)\s+(?:the\s+)?(?:document|context|passages?|instructions?|prompt)\b
    """
)


_ELSEWHERE = re.compile(
    unicodedata.normalize(
        "NFKC",  # as what is searched
        r"""(?ix)
    \b(?:ignorier\w*|vergiss|vergesst|missachte\w*)\b[^.!?]{0,60}\b(?:Anweisung\w*|Regeln|vorherige\w*|bisherige\w*)\b
    | \b(?:ignore[zr]?|oublie[zr]?)\b[^.!?]{0,60}\b(?:instructions|consignes|pr[ée]c[ée]dent\w*)\b
    | \b(?:ignor\w+|olvida\w*|esque[cç]a\w*|dimentica\w*)\b[^.!?]{0,60}
        \b(?:instruc\w+|instru[cç][oõ]es|istruzioni|anterior\w*|precedent\w*|instruktion\w*|instruksjon\w*|instrukser\w*|instruc[tț]iun\w*|pokyn\w*)\b
    | \b(?:negeer|vergeet)\b[^.!?]{0,60}\b(?:instructies|opdrachten|regels|vorige|eerdere)\b
    | \b(?:zignoruj\w*|zapomnij\w*)\b[^.!?]{0,60}\b(?:instrukcj\w*|polece\w*|poprzedni\w*)
    | \b(?:игнорируй\w*|забудь\w*|ігноруй\w*)
    | [öo]nceki[^.!?]{0,40}talimat\w*[^.!?]{0,30}\b(?:yok\s+say\w*|unut\w*|g[öo]rmezden\s+gel\w*)
    | \babaikan\b[^.!?]{0,60}\b(?:instruksi|perintah)\b
    | \b(?:bỏ\s+qua|bo\s+qua)\b[^.!?]{0,60}(?:hướng\s+dẫn|chỉ\s+dẫn|huong\s+dan|chi\s+dan)
    | (?:αγνόησε|αγνοήστε|ξέχνα)[^.!;]{0,60}οδηγ\w+
    | (?:התעלמ?[םו]?|שכח)[^.!?]{0,60}(?:הוראות|ההוראות)
    | (?:تجاهل|انس)[^.!؟]{0,60}(?:التعليمات|تعليمات|الأوامر)
    | निर्देशों[^।!?]{0,30}(?:अनदेखा|नज़रअंदाज़|भूल)
    | (?:지시|명령|지침)[^.!?]{0,20}(?:무시|잊)
    | (?:ละเว้น|เพิกเฉย|ลืม)[^.!?]{0,40}(?:คำสั่ง|คำแนะนำ)
    | 忽略.{0,12}(?:指令|指示|说明|提示)|無視して
    """,
    )
)
"""The same in other languages, of which only the commonest wording is known."""


def visible(text: str) -> str:
    """``text`` without control, direction, unassigned and unseen characters (but for line ends and tabs).

    Emoji and Indic words keep their joiners.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(one for one in text if one in _KEPT or unicodedata.category(one) not in _UNSEEN)


def bare(text: str) -> str:
    """`visible` text in which what may begin a special token of a chat template is taken apart."""
    return _ROLE.sub(r"\1 ", _TEMPLATE.sub(lambda found: found[0] + " ", visible(text)))


def speaks_to_models(sentence: str) -> bool:
    """Whether ``sentence`` gives instructions to a model or reader, as injected text does."""
    return any(_INSTRUCTION.search(form) or _ELSEWHERE.search(form) for form in undisguised(sentence))


class Fence:
    """Marks around passages, with a secret that no text has.

    The secret is drawn once in a process, so that a prompt begins as the last one did where the passages repeat, and a server can
    keep what it has read of it. One that a text contains is drawn anew.
    """

    _secret = ""
    _lock = threading.Lock()

    def __init__(self, texts: Iterable[str]) -> None:
        with Fence._lock:
            held = [*texts]
            while not Fence._secret or any(Fence._secret in text.casefold() for text in held):
                Fence._secret = secrets.token_hex(4)
            self.secret = Fence._secret

    def around(self, one: Evidence, hidden: bool = False) -> str:
        """One passage between its marks; ``hidden``: also what a reader of its document does not see."""
        named = " ".join(bare(one.title).split())[:120].replace("=", " ")
        head = f"=== {self.secret} passage [{one.number}]" + (f" from “{named}”" if named else "") + " ==="
        return f"{head}\n{bare(seen(one, hidden)).strip()}\n=== {self.secret} end of passage [{one.number}] ==="


def seen(one: Evidence, hidden: bool = False) -> str:
    """The text of a passage as a reader of its document sees it."""
    if hidden or not one.hidden:
        return one.text
    out, at = [], 0
    for start, end in sorted(one.hidden):
        out.append(one.text[at : max(at, start)])
        at = max(at, end)
    return "".join([*out, one.text[at:]])
