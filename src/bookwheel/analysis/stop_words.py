"""Function words of the Snowball languages: articles, pronouns,
prepositions, conjunctions, auxiliaries.

English has Lucene's 33 words (EnglishAnalyzer), so that rankings can be compared. The other
lists were written for bookwheel, short on purpose: a word that can also carry meaning stays in
the index. They serve to tell languages apart as well. Languages without a list (Sesotho) are
stemmed, but nothing is left out.
"""

from __future__ import annotations

from functools import cache

from .folding import folded

__all__ = ["LANGUAGES", "stop_words", "telling_words"]

_WORDS = {
    "arabic": "في من على إلى عن مع هذا هذه ذلك تلك التي الذي الذين أن إن كان كانت قد لا لم لن ما هو هي هم كل بين بعد قبل"
    " عند أو ثم حتى كما إذا لكن أي و ب ل",
    "armenian": "և է որ են ու այս այդ այն մի եւ իր նա ես դու մենք դուք նրանք եմ ես ենք եք էր էին համար հետ մեջ վրա իսկ բայց"
    " թե կամ ոչ չի պետք նաև ըստ մասին",
    "basque": "eta da du ez bat dira izan zen den dute baina ere edo hau hori hura ditu zuen egin bere dago gara naiz beste"
    " baino nahi duen diren zuten ziren haiek hori bezala",
    "catalan": "el la els les un una uns unes de del dels a al als i o que en per amb és no es se ha han són era com més"
    " però seva seu aquest aquesta aquests aquestes ho hi li ja quan si sobre entre fins també",
    "czech": "a i v ve na se je že to s z ze do o k ke u za po pro by si ale jsou jako jeho její jejich který která které"
    " byl byla bylo byly tak nebo jen když jak ne než od při co už má ten ta tento tato toto aby také až být mezi"
    " pod nad před",
    "danish": "og i at det en den til er som på de med han af for ikke der var mig sig men et har om vi min havde ham hun"
    " nu over da fra du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind når være"
    " jo noget ville efter meget kun denne dette hvis nogle bliver også",
    "dutch": "de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar om hem dan zou of"
    " wat mijn men dit zo door over ze zich bij ook tot je mij uit der daar haar naar heb hoe heeft hebben deze u"
    " want nog zal me zij nu ge geen werd worden wordt",
    "english": "a an and are as at be but by for if in into is it no not of on or such that the their then there these they"
    " this to was will with",
    "esperanto": "la kaj de en al estas ke por kun ne li ŝi ĝi mi vi ni ili sed aŭ el pri sur per ĉi tiu ĉiu kiu kio kiel"
    " estis esti sia lia ĝia pli da unu se ĉar je tio ankaŭ dum post inter ĝis nur",
    "estonian": "ja on ei et see oli ta kui ka mis aga ning või oma ma sa me te nad kes seda mida selle nii siis veel pole"
    " olid olla tema nende meie teie mitte need üle kuid sest välja juba võib",
    "finnish": "ja on ei se että oli hän ovat mutta kun niin myös joka jotka tai sekä kuin ole ollut mukaan mitä jos vain"
    " sen siitä siinä hänen tämä tämän nämä ne he me te minä sinä olivat jossa jonka voi joita koska eivät eli"
    " vielä kanssa",
    "french": "le la les l un une des de du d et est en que qu qui à au aux dans pour par sur pas ne n se s ce c cette ces"
    " il elle ils elles on nous vous je j tu son sa ses leur leurs mais ou où avec sont été être a ont avait était"
    " plus comme y lui même aussi",
    "german": "der die das den dem des ein eine einer eines einem einen und ist in zu von mit auf für nicht sich es er sie"
    " ich wir ihr als auch an bei aus nach wie im am zum zur dass daß oder aber war waren sind hat haben wird"
    " werden wurde wurden so nur noch über vor durch unter bis um wenn man sein seine seiner ihre ihrer diese"
    " dieser dieses kann",
    "greek": "και το να του η της με που την από για τα είναι των σε ο οι στο θα τη στην τον τους δεν τις ένα μια αυτό στη"
    " στα ότι ή αλλά μας σας στον ως αν όπως έχει ήταν κατά μετά μου σου πως έχουν στις",
    "hindi": "के का की है में से को और पर एक यह इस हैं ने कि भी ही तो था थी थे कर इसके लिए जो या नहीं साथ वह हो कुछ अपने"
    " उस जा रहा गया होता हुए द्वारा तक",
    "hungarian": "a az és hogy nem is egy ez azt ezt de volt van el meg csak már ki mint ha vagy még mert én ő fel kell aki"
    " ami be lehet minden őket neki ezek azok lesz között majd után pedig vannak voltak amely amelyek",
    "indonesian": "yang dan di dari dengan untuk pada ini itu dalam tidak adalah oleh akan ke sebagai juga karena atau ada"
    " telah dapat saya kami kita mereka dia ia bisa tersebut sudah lebih bahwa seperti tetapi namun para",
    "irish": "an na agus ar i is go a bhí sé sí le de ag do bheith níl tá nach ní ach mar sin seo ó nó leis chun faoi gan"
    " ann dá raibh siad mé tú sinn atá um trí ina den don",
    "italian": "il lo la i gli le un uno una di a da in con su per tra fra e ed o ma che non è si del dello della dei degli"
    " delle al allo alla ai agli alle dal dalla dai nel nella nei nelle sul sulla sono era come più anche se ha"
    " hanno questo questa suo sua loro cui essere stato chi ci",
    "lithuanian": "ir yra kad į iš su bet tai ar kaip ne buvo jis ji jų jo jos per apie už nuo po dėl savo tik aš tu mes jūs"
    " jie kurie kuris kuri dar jau būti arba iki prie taip pat nėra",
    "nepali": "र छ को मा लाई ले हो यो त्यो पनि भएको गर्न गरेको छन् थियो हुन् नै एक का की बाट तर अनि वा भने लागि हुने गर्ने छैन साथै",
    "norwegian": "og i det på som er en til å av for at med var de ikke den har jeg et om han fra hun men så seg ble kan vi"
    " etter skal dem man eller hadde være ved da ut over nå bare mot mer opp også noe hvor hva denne dette sin"
    " sitt mange når vil bli mye oss du",
    "persian": "و در به از که این را با است برای آن یک خود تا کرد بر هم نیز می شد شده ها های اما یا ما او آنها بود هر اگر"
    " باید دارد همه پس بین وی شود ولی",
    "polish": "i w we na z ze się nie do to że jest o jak a po za od co przez dla jego jej ich który która które są był"
    " była było być tym tego ten ta ale oraz przy lub czy tak już tylko może można pod nad przed jako mnie ja on"
    " ona ono my wy oni",
    "portuguese": "o a os as um uma uns umas de do da dos das em no na nos nas por pelo pela para com e ou que não é se ao aos"
    " à às como mais mas foi são ser está tem seu sua seus suas ele ela eles elas isso este esta esse essa eu já"
    " também quando entre sem sobre até",
    "romanian": "și şi a al ale de la în cu pe din un o nu se că ce este sunt mai pentru care prin dar sau fi fost era lui ei"
    " lor el ea cel cea cei cele acest această aceste să am ai au ca după până între într despre fără",
    "russian": "и в во не на что с со он она оно они я ты мы вы как а то все всё так его ее её их но да к ко у же за бы по"
    " от из о об это этот эта эти для при был была было были быть или если еще ещё когда только уже до ли также"
    " который которая которые чтобы без под над",
    "serbian": "и у је да се на за од са су не који која које што као али или из о до по би био била било бити није ће њега"
    " ме он она i u je da se na za od sa su ne koji koja koje što kao ali ili iz o do po bi bio bila bilo biti"
    " nije će on ona",
    "spanish": "el la los las un una unos unas de del a al en y e o u que no es se por con para su sus lo le les como más"
    " pero ha han son era fue ser está este esta estos estas ese esa eso yo él ella ellos ya también cuando entre"
    " sin sobre hasta muy porque desde nos me si",
    "swedish": "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när hon"
    " ut under vid eller hade nu över då upp bara efter skulle mot mycket vara ska någon detta denna dessa också"
    " sin sina där vad hur man du blev alla",
    "tamil": "ஒரு என்று மற்றும் இந்த அந்த என்ற இது அது என அவர் இருந்து ஆகும் அல்லது போன்ற வேண்டும் உள்ள ஆனால் மிகவும் இதில் அவர்கள் நான் நீ தான் கொண்டு",
    "turkish": "ve bir bu da de için ile çok o ne gibi daha ama kadar en mi mı mu mü ya ki sonra değil olarak var yok ben"
    " sen biz siz onlar her şey olan oldu veya ise hem çünkü göre bunu onun bana tarafından",
    "yiddish": "און איז די דער דאָס אין אַ אַן פֿון פון צו מיט נישט ניט האָט זיך ער זי עס איך מיר איר זיי אויף פֿאַר ווי"
    " אָבער אויך בײַ וואָס אַז זענען געווען זײַן",
}
_TELLING = {
    "english": "what which who whom whose when where why how do does did has have had can could would should from about than"
    " he she we you i my your our his her its been were any some between after before"
}
"""Function words that are kept in the index, and yet tell the language of a question."""
_SAME = {"porter": "english", "dutch_porter": "dutch"}

LANGUAGES = tuple(_WORDS)
"""The languages that have a list."""


@cache
def stop_words(language: str) -> frozenset[str]:
    """The casefolded function words of a Snowball language, with and without their marks; empty if there is no list."""
    words = _WORDS.get(_SAME.get(language, language), "").casefold().split()
    return frozenset([*words, *map(folded, words)])


@cache
def telling_words(language: str) -> frozenset[str]:
    """Words of two letters or more that tell that a short text, as a question, is in ``language``."""
    return frozenset(
        word for word in stop_words(language) | set(_TELLING.get(_SAME.get(language, language), "").split()) if len(word) > 1
    )
