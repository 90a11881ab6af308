"""Completion, as a real bash requests it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["wavespeed-client", "ba"], {"balance", "batch"}),
        (["wavespeed-client", "webhook", ""], {"listen", "verify"}),
        (["wavespeed-client", "run", "--m"], {"--max-cost"}),
        (["wavespeed-client", "completion", ""], {"bash", "zsh", "fish"}),
        (["wavespeed-client", "billings", "--type", "re"], {"refund"}),
    ],
)
def test_bash_completes_commands_options_and_choices(words: list[str], expected: set[str], tmp_path: Path) -> None:
    entry = tmp_path / "wavespeed-client"
    entry.write_text(f"#!{sys.executable}\nimport sys\nfrom wavespeed_client.cli import main\nsys.exit(main())\n")
    entry.chmod(0o755)
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        'eval "$(wavespeed-client completion bash)"\n'
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; COMP_LINE='x'; COMP_POINT=1\n"
        "_wavespeed_client_completion wavespeed-client\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(BASH), "--norc", "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) == expected
