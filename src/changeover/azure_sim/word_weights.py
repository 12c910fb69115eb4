"""How much does a word say of a text? Inverse document frequency, from counts over a body of technical English."""

import math
from typing import Final

TEXTS: Final = 868
"""Documentation texts of a standard library, in which the words below were counted once."""
_COUNTED: Final = """
the:831 is:726 a:692 to:670 of:602 and:560 if:549 be:523 in:509 for:479 this:441 or:422 that:385 an:382 are:372 it:366 as:365
not:355 with:327 by:312 will:284 can:278 used:236 argument:221 default:210 string:204 when:203 all:203 return:203 from:200
which:199 on:195 set:185 value:184 object:184 none:183 name:179 s:177 no:175 method:173 may:169 function:169 use:167 should:164
returns:161 file:157 given:149 one:148 optional:147 then:146 arguments:146 1:141 must:140 any:140 true:140 have:138 0:137
class:137 only:137 list:136 instance:134 returned:131 called:129 number:123 has:122 t:121 module:121 at:119 example:119 but:115
you:115 also:114 other:114 data:113 2:107 e:103 specified:103 first:102 type:102 each:99 values:97 same:97 its:97 either:97
false:97 otherwise:95 line:94 exception:94 call:93 passed:90 using:90 there:89 note:86 so:85 python:85 error:85 raised:85
current:85 they:84 more:82 does:81 was:79 where:79 raise:78 do:78 case:77 new:77 see:77 empty:77 before:75 text:75 two:74 get:74
g:74 bytes:74 strings:74 3:73 than:73 these:72 non:72 header:71 like:68 read:68 time:68 raises:67 attribute:66 defaults:66 into:66
tuple:66 named:66 methods:65 order:64 path:64 output:64 message:64 after:63 i:63 keyword:62 single:62 objects:61 args:61 result:60
encoding:60 end:60 both:59 defined:58 some:58 format:58 following:57 input:57 code:56 been:56 n:56 parameter:56 lines:56 such:55
always:55 instead:54 self:53 most:53
"""
"""The words that stand in most texts. Kept here as they were counted, so that a version's vectors never change."""
_RARE: Final = 20
"""What any other word counts as."""

_TEXTS_WITH: Final = {word: int(count) for word, _, count in (each.partition(":") for each in _COUNTED.split())}


def weight_of(word: str) -> float:
    """``ln((1 + texts) / (1 + texts with the word)) + 1``: about 1 for *the*, about 5 for a rare word."""
    return math.log((1 + TEXTS) / (1 + _TEXTS_WITH.get(word, _RARE))) + 1
