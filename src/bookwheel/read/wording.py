"""Words that decide what a sentence says: negations, hedges, attributions, conditions, and what may be left out (English).

The lists are closed classes of English function words, and the irregular verbs; `NEGATIONS` has other languages too, in which
only whole stored sentences are recognised (see `derivation`).
"""

from __future__ import annotations

__all__ = [
    "ADVERBS",
    "AFTER_CLAUSE",
    "ATTRIBUTIONS",
    "AUXILIARIES",
    "BE",
    "CONDITIONS",
    "CONJUNCTIONS",
    "CUES",
    "DETERMINERS",
    "FUNCTION_WORDS",
    "HEDGES",
    "LIGHT",
    "NAME_PARTS",
    "NEGATIONS",
    "NEGATIONS_ELSEWHERE",
    "PREPOSITIONS",
    "PRONOUNS",
    "RELATIVES",
    "SAYING",
    "TURNS",
    "UNIVERSALS",
    "VERBS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LIGHT = _words("the a an also")
"""A claim may have them, and a stored sentence may lack them."""
ADVERBS = _words(
    "just also even indeed still further officially actually simply very quite famously notably eventually later then"
)
"""May be left out of a stored sentence."""
BE = _words("be is are was were been being am")
AUXILIARIES = BE | _words("have has had having do does did will would shall should can could may might must")
NEGATIONS = _words(
    "not no never none nobody nothing nowhere neither nor without hardly barely scarcely rarely seldom few little cannot fewer less"
)
NEGATIONS_ELSEWHERE = _words(
    "nicht kein keine keinen keinem keiner keines nie niemals niemand nichts weder ohne kaum ne pas jamais aucun aucune rien sans ni "
    "nunca jamás ningún ninguno ninguna nada nadie tampoco sin não nenhum nenhuma ninguém sem non mai nessuno nessuna niente senza "
    "niet geen nooit zonder inte aldrig ingen inget utan ikke aldri uten bez ani nikdy není не нет никогда ни без 不 没 沒 無 未 非 否"
)
HEDGES = _words(
    "may might could can would should must will shall possibly probably perhaps maybe likely unlikely apparently reportedly "
    "allegedly supposedly purportedly seemingly potentially almost nearly approximately roughly some most many several partly "
    "partially mostly mainly primarily usually often sometimes generally typically occasionally normally least half part once "
    "virtually practically theoretically reputedly ostensibly presumably possible potential future prospective apparent seeming "
    "incomplete unfinished partial quarter double twice triple minus negative"
)
ATTRIBUTIONS = _words(
    "said says say saying claim claims claimed claiming allege alleges alleged deny denies denied denying believe believes believed "
    "think thinks thought assume assumes assumed suppose supposes supposed suggest suggests suggested suggesting argue argues argued "
    "rumour rumor rumoured rumored rumours rumors speculate speculates speculated propose proposes proposed plan plans planned "
    "intend intends intended hope hopes hoped want wants wanted wish wishes wished expect expects expected predict predicts "
    "predicted estimate estimates estimated doubt doubts doubted dispute disputes disputed refuse refuses refused fail fails failed "
    "attempt attempts attempted tried try tries seem seems seemed appear appears appeared pretend pretends pretended according "
    "imagine imagined dream dreamed dreamt legend myth false falsely wrong wrongly incorrect incorrectly mistaken mistakenly untrue "
    "fictional fake hoax so-called former alleged hypothetical contrary told tell tells reported reports report wrote writes "
    "asserted asserts accused accuses insisted insists considered feared fears warned warns threatened promised "
    "hypothesise hypothesises hypothesised hypothesize hypothesizes hypothesized posit posits posited theorise theorises theorised "
    "theorize theorizes theorized contend contends contended declare declares declared conclude concludes concluded imply implies "
    "implied guess guesses guessed admit admits admitted agree agrees agreed presume presumes presumed surmise surmised allegation "
    "unsuccessful unsuccessfully abortive attempted imaginary mock counterfeit non quasi pseudo virtual vice deputy assistant "
    "acting ex sub semi anti step grand honorary"
)
SAYING = _words(
    "said says claimed claims alleged alleges denied denies reportedly allegedly according supposedly purportedly argued argues "
    "suggested suggests believed believes thought thinks wrote writes asserted asserts insisted insists rumoured rumored untrue false"
)
"""After a clause, they make it somebody's word."""
CONDITIONS = _words("if unless whether until till except provided otherwise or either than rather instead lest but")
CUES = NEGATIONS | HEDGES | ATTRIBUTIONS | CONDITIONS
"""Nothing that has one of them may be left out."""
AFTER_CLAUSE = _words("if unless until except without or than rather instead lest")
"""At the head of what follows, they restrict what came before."""
TURNS = _words("although though while despite whereas")
"""A clause that they begin is closed by its comma; a negation in it does not reach the next."""
UNIVERSALS = _words("all every each always any no none never only first last most least sole entire whole everyone everything")
PREPOSITIONS = _words(
    "of in on at by for from with to into onto over under about after before during since until between among through against "
    "within without toward towards upon across along around behind below beneath beside near off per via as like despite"
)
RELATIVES = _words("that which who whom whose where when why how because what")
CONJUNCTIONS = _words("and or but nor while whereas although though because so yet if unless whether than")
DETERMINERS = _words("the a an this that these those his her its their our my your")
PRONOUNS = _words("he she it they this that these those his her its their him them i we you who which")
VERBS = _words(
    "became become becomes began begin begins begun broke break breaks broken brought bring brings built build builds bought buy "
    "buys came come comes caught catch catches chose choose chooses chosen cut cuts dealt drew draw draws drawn drank drink drove "
    "drive drives driven ate eat eats eaten fell fall falls fallen felt feel feels fought fight fights found find finds flew fly "
    "flies flown forgot forgets gave give gives given went go goes gone grew grow grows grown held hold holds heard hear hears hid "
    "hide hit hits kept keep keeps knew know knows known laid lay lays led lead leads left leave leaves lent lend let lets lost lose "
    "loses made make makes meant mean means met meet meets paid pay pays put puts ran run runs read reads rode ride rides rose rise "
    "rises risen said say says saw see sees seen sought seek seeks sold sell sells sent send sends set sets shook shot shoot shoots "
    "showed show shows shown sang sing sings sank sink sinks sat sit sits slept sleep spoke speak speaks spoken spent spend spends "
    "stood stand stands stole steal stolen struck strike strikes swam swim swore sworn took take takes taken taught teach teaches "
    "tore torn told tell tells thought think thinks threw throw throws thrown understood understand woke won win wins wore wear wears "
    "worn wrote write writes written use uses used cause causes contain contains include includes beat beats defeat defeats acquire "
    "acquires own owns live lives work works play plays move moves open opens close closes start starts stop stops help helps need "
    "needs want wants get gets got require requires produce produces allow allows invent invents create creates exist exists remain "
    "remains consist consists serve serves visit visits join joins increase increases decrease decreases reduce reduces raise raises "
    "earn earns cost costs measure measures weigh weighs reach reaches follow follows kill kills die dies died elect elects rule rules "
    "provide provides support supports represent represents inhibit inhibits treat treats prevent prevents receive receives sign "
    "signs refer refers occur occurs happen happens belong belongs lie lies score scores host hosts replace replaces return returns "
    "form forms resign resigns attack attacks sue sues hire hires fire fires merge merges"
)
NAME_PARTS = _words(
    "north south east west northern southern eastern western new upper lower central old san santa saint st los las la el fort mount "
    "mt lake cape port great little big royal united real non"
)
"""A name that begins with one of them is another without it."""
FUNCTION_WORDS = (
    LIGHT | BE | AUXILIARIES | PREPOSITIONS | RELATIVES | CONJUNCTIONS | DETERMINERS | PRONOUNS | NEGATIONS | ADVERBS
    | _words("some such there here more most other another both each than so too only own same very its it's 's")
)  # fmt: skip
"""What no sentence is about."""
