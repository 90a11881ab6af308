"""The page on typed inputs, in its parts."""

import re

from tests.conftest import ROOT

PAGE = (ROOT / "overlay" / "docs" / "typed-inputs.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for language, text in BLOCKS if language == "bash"]
USE, INPUTS, TESTED = (text for language, text in BLOCKS if language == "python")
# Marked with another language, because this program is wrong on purpose and is not run.
(MISTAKEN,) = (text for language, text in BLOCKS if language == "py")
WRITTEN, *SAID, VIOLATION = (text for language, text in BLOCKS if language == "text")
FLUX = {
    "type": "object",
    "required": ["prompt"],
    "x-order-properties": ["prompt", "image", "size", "seed"],
    "properties": {
        "prompt": {"type": "string", "description": "What to paint."},
        "size": {"type": "string", "enum": ["1024*1024", "1280*720"], "default": "1024*1024"},
        "image": {"type": "string", "x-ui-component": "uploader"},
        "seed": {"type": "integer", "default": -1},
    },
}
