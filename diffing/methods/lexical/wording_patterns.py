"""English patterns of words and phrases that tell the wording of a response: hedges, apologies, praise ..."""

from diffing.methods.lexical.measured_values import pattern

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
    r"interesting|wonderful|lovely|fascinating|brilliant|fun)\b(?: \w+)?|\bi love (?:this|that|your)\b|"
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
