"""Words that a question has because it is one: they ask, and the text that answers does not say them.

Among them are verbs of what came to pass, as in "What happens when …?". Left out are words that mean something else in another
language (Italian *come*, Romanian *care*).
"""

from __future__ import annotations

__all__ = ["QUESTION_WORDS", "UNSPACED_QUESTION_WORDS"]

_WORDS = """
what which who whom whose when where why how wer wen wem wessen was welche welcher welches welchen welchem wann wo wohin woher
warum weshalb wieso wie wieviel wieviele worin woran worauf womit wofür wodurch wovon wozu que qué quien quién quienes quiénes
cual cuál cuales cuáles cuando cuándo cuanto cuánto cuanta cuánta cuantos cuántos cuantas cuántas donde dónde adónde como cómo
quel quelle quels quelles qui quoi quand où pourquoi comment combien lequel laquelle lesquels lesquelles che chi quale quali
quando dove perché quanto quanta quanti quante qual quais quem onde porque quantos quantas ce cine când unde cum cât câtă câți
câte cui cărui cărei căror wat welk wanneer waar waarom hoe hoeveel hvad hvem hvor hvornår hvorfor hvordan hvilken hvilket
hvilke hva når vem vilken vilket vilka när varför mikä mitä kuka ketkä missä mistä milloin miksi miten kuinka montako kto czym
jaki jaka jakie który która które gdzie kiedy dlaczego ile ilu kdo který která které kde kdy proč jak kolik jaký jaká jaké
mely melyik melyek miért hogyan mikor hány mennyi ne nedir kim kimin kime hangi hangisi kaç nasıl nerede nereye nereden neden
niçin что кто кого кому кем какой какая какое какие каких какого какому каким какую какими каком который где куда откуда когда
почему зачем как сколько чей чья чьё чьи хто який яка яке які де коли чому скільки какво кой коя кое кои къде кога защо колко
τι ποιος ποια ποιο ποιον ποιοι ποιους ποιες πότε πού που πώς πως γιατί πόσο πόσος πόση πόσα πόσοι πόσες ما ماذا من متى أين كيف
كم لماذا أي أية هل מה מי איזה איזו אילו מתי איפה היכן למה מדוע איך כיצד כמה چه چرا کجا کی کدام چگونه چند क्या कौन कौनसा कौनसी
कब कहाँ कहां क्यों कैसे कितना कितनी कितने किस किसे किसने किसका किसकी किसके gì nào đâu bao nhiêu sao siapa bagaimana mengapa
kenapa berapa kapan dimana
happen happens happened passiert passierte geschieht geschah ocurre ocurrió sucede sucedió succede accade accadde acontece aconteceu
gebeurt gebeurde происходит произошло случилось
""".split()  # noqa: SIM905

QUESTION_WORDS = frozenset(_WORDS)
"""Casefolded, of languages that are written with spaces between words."""
UNSPACED_QUESTION_WORDS = frozenset(
    """为什么 为何 什么 甚么 怎么 怎样 如何 何时 何处 何地 何人 何种 哪 谁 多少 多大 多长 多高 多久 几 是否 吗
    為什麼 為何 什麼 甚麼 怎麼 怎樣 何時 何處 誰 多長 幾 嗎
    何 いつ どこ だれ なぜ どう どの どれ どんな どちら いくつ いくら""".split()  # noqa: SIM905
)
"""Of Chinese and Japanese; longer ones may have shorter ones in them."""
