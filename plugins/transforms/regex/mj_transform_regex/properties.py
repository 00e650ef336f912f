"""Unicode properties: `\\p{Lu}`, `\\p{Script=Greek}`, `\\p{Alphabetic}`."""

import re

from mj_transform_regex.flags import Flags
from mj_transform_regex.scanner import Scanner

PROPERTY = re.compile(r"\{(?:(gc|General_Category|sc|Script|scx|Script_Extensions)=)?([A-Za-z0-9_]+)\}")

CATEGORIES = frozenset(
    re.findall(
        r"\w+",
        """
    C Other Cc Control cntrl Cf Format Cn Unassigned Co Private_Use Cs Surrogate L Letter LC Cased_Letter Ll Lowercase_Letter
    Lm Modifier_Letter Lo Other_Letter Lt Titlecase_Letter Lu Uppercase_Letter M Mark Combining_Mark Mc Spacing_Mark Me
    Enclosing_Mark Mn Nonspacing_Mark N Number Nd Decimal_Number digit Nl Letter_Number No Other_Number P Punctuation punct
    Pc Connector_Punctuation Pd Dash_Punctuation Pe Close_Punctuation Pf Final_Punctuation Pi Initial_Punctuation Po
    Other_Punctuation Ps Open_Punctuation S Symbol Sc Currency_Symbol Sk Modifier_Symbol Sm Math_Symbol So Other_Symbol
    Z Separator Zl Line_Separator Zp Paragraph_Separator Zs Space_Separator
    """,
    )
)
BINARY = frozenset(
    re.findall(
        r"\w+",
        """
    ASCII ASCII_Hex_Digit AHex Alphabetic Alpha Any Assigned Default_Ignorable_Code_Point DI Diacritic Dia Emoji
    Emoji_Component EComp Emoji_Modifier EMod Emoji_Modifier_Base EBase Emoji_Presentation EPres Extended_Pictographic ExtPict
    Hex_Digit Hex ID_Continue ID_Start IDS Ideographic Ideo Lowercase Lower Math Uppercase Upper White_Space space
    XID_Continue XIDC XID_Start XIDS
    """,
    )
)
CASED = re.compile(r"L[lutC]|.*case.*|Lower|Upper|Cased_Letter")


def property_class(scanner: Scanner, flags: Flags, negative: bool) -> str:
    """Read `{Name}` or `{Name=Value}`; return it as the `regex` library writes it."""
    start = scanner.at
    found = scanner.match(PROPERTY)
    if not found:
        raise scanner.fault("invalid property", start)
    name, value = found.groups()
    is_script = name is not None and name.startswith(("sc", "Sc"))
    if not is_script and value not in CATEGORIES and (name or value not in BINARY):
        raise scanner.fault(f"unknown property {value}", start)
    if flags.ignore_case and CASED.fullmatch(value):
        raise scanner.fault(f"the property {value} with the flag i is not supported", start)
    if value == "Any":
        return r"\x00-\U0010ffff" if not negative else ""
    if is_script:
        value = f"{'Script' if name in {'sc', 'Script'} else 'Script_Extensions'}={value}"
    return f"\\{'P' if negative else 'p'}{{{value}}}"
