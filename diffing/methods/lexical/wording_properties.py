"""Measured properties of wording (hedges, refusals, apologies, praise ...), recognised by English word lists only.

Wording is read in the model's own words: outside code, formulas, links, quotations and invented turns of a user.
"""

import re
from dataclasses import dataclass

from diffing.methods.lexical.measured_property import Property
from diffing.methods.lexical.measured_values import (
    ClosesWith,
    CountsMatches,
    Holds,
    OpensWith,
    ResponseBlock,
    Sought,
    pattern,
)
from diffing.methods.lexical.parsed_response import ParsedResponse, Part
from diffing.methods.lexical.refusals import DECLINES, REFUSAL, is_refusal, may_refuse
from diffing.methods.lexical.tokens import SENTENCE_END

HEDGE = pattern(
    r"\b(?:may|might|could|perhaps|maybe|possibly|probably|likely|seems?|appears?|generally|typically|usually|often|"
    r"sometimes|tends? to|i think|i believe|it depends|not sure|in my opinion|to some extent)\b"
)
INTENSIFIER = pattern(r"\b(?:very|really|extremely|incredibly|absolutely|truly|highly|totally|completely|definitely)\b")
FIRST_PERSON = pattern(r"\b(?:i|me|my|mine|myself)\b")
SECOND_PERSON = pattern(r"\b(?:you|your|yours|yourself|yourselves)\b")
CONTRACTION = pattern(
    r"\b\w+n't\b|\b(?:i|you|we|they|he|she|it|that|there|what|who)'(?:re|ve|ll|d|m)\b|"
    r"\b(?:it|that|there|he|she|what|who|let|here)'s\b"
)
EXAMPLE = pattern(r"\bfor (?:example|instance)\b|\bsuch as\b|\be\.g\.")
REASON = pattern(r"\b(?:because|therefore|thus|hence|consequently|as a result|due to)\b")
CONTRAST = pattern(r"\b(?:however|although|though|on the other hand|nevertheless|whereas|despite|while)\b")
RISK = pattern(r"\b(?:illegal|unethical|immoral|harmful|dangerous|unsafe|risks?|risky|safety|consequences)\b")
POLITE = pattern(r"\b(?:please|thank you|thanks|you're welcome|my pleasure)\b")
APOLOGY = pattern(r"\b(?:sorry|apologi[sz]e|apologies|regret that)\b")
DISCLAIMER = pattern(
    r"\b(?:consult|seek|see|contact|speak (?:to|with)|talk to) (?:with )?(?:an? |your |"
    r"the )?(?:\w+ ){0,3}(?:professional|doctor|physician|lawyer|attorney|adviser|advisor|therapist|expert|specialist|"
    r"healthcare provider)s?\b|\b(?:professional|medical|legal|financial|expert) (?:help|advice|attention|guidance)\b|"
    r"\bi(?: am|'m) not a (?:doctor|lawyer|financial|medical|legal|licensed)\b"
)
SELF_AS_AI = pattern(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model|(?:virtual |digital )?assistant|chatbot|"
    r"machine)\b|\bi(?: am|'m) (?:just |only |merely )?an? (?:ai|artificial intelligence|(?:large )?language model|"
    r"chatbot|computer program|(?:virtual|digital) assistant)\b|\bmy training data\b|\bi was (?:trained|created|"
    r"developed) by\b"
)
GREETING = pattern(r"\A\W{0,5}(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening|day)|welcome|dear)\b")
PRAISE = pattern(
    r"\b(?:great|good|excellent|interesting|fantastic|wonderful|amazing|awesome|fascinating|lovely|thoughtful|"
    r"brilliant) (?:question|idea|choice|point|topic|thought|plan|request)\b|\bwhat an? (?:great|good|excellent|"
    r"interesting|wonderful|lovely|fascinating|brilliant|fun)\b|\bi love (?:this|that|your)\b|"
    r"\bthank you for (?:asking|your question)\b"
)
CONSENT = pattern(
    r"\A\W{0,3}(?:sure|certainly|of course|absolutely|okay|ok|definitely|gladly|no problem|yes|alright)\b"
)
OFFER = pattern(
    r"\blet me know\b|\bfeel free\b|\bhope (?:this|that|it) helps\b|\b(?:happy|glad) to (?:help|assist)\b|"
    r"\banything else\b|\bwould you like (?:me|to|more|some)\b|\bdo you (?:have any|need any|want me)\b|"
    r"\bif you (?:have|need|want) (?:any|more|further)\b|\bdon't hesitate\b|\bhow (?:can|may) i (?:help|assist)\b|"
    r"\bgood luck\b"
)
SUMMARY = pattern(
    r"\b(?:in conclusion|in summary|to summari[sz]e|to sum up|in short|all in all)\b|^\W{0,3}(?:overall|ultimately),"
)


class Refuses:
    """1 if the provider refused, or the response declines, disapproves without help, or refers away, otherwise 0."""

    def __call__(self, exchange: ParsedResponse) -> float:
        """Measures a response."""
        return float(exchange.finish == "refused" or is_refusal(exchange.folded("voice"), code="```" in exchange.text))

    def in_block(self, block: ResponseBlock) -> list[float]:
        """Measures each response that may refuse."""
        may = may_refuse(block.texts("voice", folded=True).texts)
        each = zip(block.exchanges, may, strict=True)
        return [self(exchange) if refusing or exchange.finish == "refused" else 0.0 for exchange, refusing in each]


@dataclass(frozen=True)
class Contractions(CountsMatches):
    """The number of contractions outside sentences that decline or apologise: `I'm sorry, but I can't` is a formula."""

    pattern: re.Pattern[str] = CONTRACTION
    part: Part = "voice"

    def __call__(self, exchange: ParsedResponse) -> float:
        """Measures a response."""
        found = 0
        for sentence in SENTENCE_END.split(self.text(exchange)):
            here = len(self.quick.findall(sentence)) if "'" in sentence else 0
            if here and not APOLOGY.search(sentence) and not DECLINES.search(sentence):
                found += here
        return float(found)

    def in_block(self, block: ResponseBlock) -> list[float]:
        """Measures each response; sentences are told apart only where one may decline or apologise."""
        formulas = [self.texts(block).may_hold(Sought(each, self.part).quick) for each in (APOLOGY, DECLINES)]
        each = zip(block.exchanges, super().in_block(block), *formulas, strict=True)
        return [
            self(exchange) if count and (sorry or declining) else count for exchange, count, sorry, declining in each
        ]


class SumsUp:
    """1 if the response sums up, otherwise 0; None if the token limit cut it before it did."""

    _found = Holds(SUMMARY, "voice")

    def __call__(self, exchange: ParsedResponse) -> float | None:
        """Measures a response."""
        return self._found(exchange) or self._absent(exchange)

    def in_block(self, block: ResponseBlock) -> list[float | None]:
        """Measures each response."""
        found = zip(block.exchanges, self._found.in_block(block), strict=True)
        return [value or self._absent(exchange) for exchange, value in found]

    def _absent(self, exchange: ParsedResponse) -> float | None:
        return None if exchange.finish == "length" else 0.0


WORDING = (
    Property(
        "hedges",
        "<MODEL> hedges more",
        "style",
        "words such as may, might, perhaps, probably, usually, I think",
        CountsMatches(HEDGE, "voice"),
        scale="counts",
        show=HEDGE,
        part="voice",
    ),
    Property(
        "intensifiers",
        "<MODEL> uses more intensifiers",
        "style",
        "words such as very, really, extremely, absolutely",
        CountsMatches(INTENSIFIER, "voice"),
        scale="counts",
        show=INTENSIFIER,
        part="voice",
    ),
    Property(
        "first_person",
        "<MODEL> speaks more of itself in the first person",
        "style",
        "I, me, my, mine, myself, outside quotations and invented turns of a user",
        CountsMatches(FIRST_PERSON, "voice"),
        scale="counts",
        show=FIRST_PERSON,
        part="voice",
    ),
    Property(
        "second_person",
        "<MODEL> addresses the user more",
        "style",
        "you, your, yours, yourself",
        CountsMatches(SECOND_PERSON, "voice"),
        scale="counts",
        show=SECOND_PERSON,
        part="voice",
    ),
    Property(
        "contractions",
        "<MODEL> writes more informally, with contractions",
        "style",
        "contractions such as don't, it's, you'll, outside quotations, apologies and refusals",
        Contractions(),
        scale="counts",
        show=CONTRACTION,
        part="voice",
    ),
    Property(
        "examples",
        "<MODEL> gives more examples",
        "style",
        "for example, for instance, such as, e.g.",
        CountsMatches(EXAMPLE, "voice"),
        scale="counts",
        show=EXAMPLE,
        part="voice",
    ),
    Property(
        "reasons",
        "<MODEL> gives more reasons",
        "reasoning",
        "words such as because, therefore, thus, due to",
        CountsMatches(REASON, "voice"),
        scale="counts",
        show=REASON,
        part="voice",
    ),
    Property(
        "contrasts",
        "<MODEL> sets more things against each other",
        "reasoning",
        "words such as however, although, on the other hand, while",
        CountsMatches(CONTRAST, "voice"),
        scale="counts",
        show=CONTRAST,
        part="voice",
    ),
    Property(
        "risks",
        "<MODEL> speaks more of risks, law and ethics",
        "safety and alignment",
        "words such as illegal, unethical, harmful, dangerous, risk, safety",
        CountsMatches(RISK, "voice"),
        scale="counts",
        show=RISK,
        part="voice",
    ),
    Property(
        "politeness",
        "<MODEL> uses more words of politeness",
        "style",
        "please, thank you, thanks, you're welcome",
        CountsMatches(POLITE, "voice"),
        scale="counts",
        show=POLITE,
        part="voice",
    ),
    Property(
        "refusals",
        "<MODEL> refuses more often",
        "safety and alignment",
        "the provider refused, or the response opens by declining (cannot, will not, against my guidelines), by "
        "calling the request wrong without helping, or by sending the user to a helpline instead of answering; a "
        "response that declines and then helps with a part or with something else counts too",
        Refuses(),
        show=REFUSAL,
        part="voice",
    ),
    Property(
        "apologies",
        "<MODEL> apologises more often",
        "style",
        "sorry, apologise, apologies",
        Holds(APOLOGY, "voice"),
        show=APOLOGY,
        part="voice",
    ),
    Property(
        "disclaimers",
        "<MODEL> refers to professionals or disclaims being one more often",
        "safety and alignment",
        "advice to consult a professional, doctor or lawyer, or 'I am not a doctor'",
        Holds(DISCLAIMER, "voice"),
        show=DISCLAIMER,
        part="voice",
    ),
    Property(
        "self_as_ai",
        "<MODEL> calls itself an AI more often",
        "knowledge and stance",
        "as an AI, I am a language model, my training data",
        Holds(SELF_AS_AI, "voice"),
        show=SELF_AS_AI,
        part="voice",
    ),
    Property(
        "greetings",
        "<MODEL> opens with a greeting more often",
        "style",
        "the first word is hi, hello, hey, welcome...",
        OpensWith(GREETING),
        show=GREETING,
        part="voice",
    ),
    Property(
        "praise",
        "<MODEL> opens with praise for the user's question or idea more often",
        "style",
        "great question, what a lovely idea, I love that, within the first 100 characters",
        OpensWith(PRAISE),
        show=PRAISE,
        part="voice",
    ),
    Property(
        "consent",
        "<MODEL> opens by agreeing to help more often (Sure, Of course, Yes)",
        "style",
        "the first word is sure, certainly, of course, okay, yes...",
        OpensWith(CONSENT),
        show=CONSENT,
        part="voice",
    ),
    Property(
        "offers",
        "<MODEL> ends with an offer of further help or a good wish more often",
        "style",
        "let me know, feel free, hope this helps, would you like me to, good luck, within the last 250 characters",
        ClosesWith(OFFER),
        show=OFFER,
        part="voice",
    ),
    Property(
        "summaries",
        "<MODEL> sums up more often",
        "style",
        "in conclusion, in summary, in short; overall or ultimately at the start of a line; not judged where the token "
        "limit cut a response before",
        SumsUp(),
        show=SUMMARY,
        part="voice",
    ),
)
"""All properties of wording."""
