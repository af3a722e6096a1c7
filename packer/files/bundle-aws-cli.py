"""Copy the AWS CLI of this machine into a folder that containers mount, with all that it needs.

    python3 -I bundle-aws-cli.py /usr/bin/aws /opt/aws-cli     with the CLI's own Python (3.9 or later)

    bin/aws             calls the rest by absolute paths
    etc/ca-bundle.crt   the certificates of authorities
    lib/                the loader, the C library, and what else the CLI loads
    usr/                the CLI, its Python and its modules, with the paths that they have here

Of a container it uses nothing but /bin/sh, so that its C library does not matter: GNU's of another version, musl, or
none.
"""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

LAUNCHER = """\
#!/bin/sh
# The AWS CLI with its own Python, C library and certificates.
unset LD_PRELOAD
AWS_CA_BUNDLE=${{AWS_CA_BUNDLE:-{folder}/etc/ca-bundle.crt}}
OPENSSL_CONF=/dev/null
OPENSSL_MODULES={folder}/lib/ossl-modules
export AWS_CA_BUNDLE OPENSSL_CONF OPENSSL_MODULES
exec {folder}/lib/{loader} --inhibit-cache --library-path {folder}/lib {folder}{python} -I {folder}{cli} "$@"
"""
SKIPPED = shutil.ignore_patterns("ensurepip", "idlelib", "test", "tkinter")
# What the C library loads later, which ldd does not list: to end threads, and to look up names.
LOADED_LATER = ("libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")
CERTIFICATES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")


def main(cli: Path, folder: Path) -> None:
    """Make the folder anew."""
    if folder.exists():
        shutil.rmtree(folder)
    python = Path(sys.executable).resolve()
    for file in (cli, python):
        copy(file, below(folder, file))
    for modules in module_folders():
        shutil.copytree(modules, below(folder, modules), ignore=SKIPPED, ignore_dangling_symlinks=True)
    loader, libraries = needed_libraries([python, *(folder / "usr").rglob("*.so*")])
    for library in libraries:
        copy(library, folder / "lib" / library.name)
        if library.name.startswith("libcrypto.so"):  # OpenSSL's, which loads modules from beside it
            shutil.copytree(library.resolve().with_name("ossl-modules"), folder / "lib" / "ossl-modules")
    copy(certificates(), folder / "etc" / "ca-bundle.crt")
    launcher = folder / "bin" / "aws"
    launcher.parent.mkdir()
    launcher.write_text(LAUNCHER.format(folder=folder, loader=loader.name, python=python, cli=cli))
    launcher.chmod(0o755)


def below(folder: Path, path: Path) -> Path:
    """Return the place of a file of this machine in the folder."""
    return folder / path.relative_to("/")


def copy(file: Path, target: Path) -> None:
    """Copy a file, or what a link points to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file.resolve(), target)


def module_folders() -> list[Path]:
    """Return the folders that Python looks for modules in, without those that lie in another one."""
    folders = [Path(each) for each in dict.fromkeys(sys.path) if Path(each).is_dir()]
    return [each for each in folders if not any(other in each.parents for other in folders)]


def needed_libraries(files: list[Path]) -> tuple[Path, list[Path]]:
    """Return the loader of some programs and libraries, and all that they load, the loader among it."""
    command = ["/usr/bin/ldd", *map(str, files)]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout  # noqa: S603 - own files
    found = {Path(each) for each in re.findall(r"(/\S+) \(0x", listed)}
    [loader] = {each for each in found if each.name.startswith("ld-linux")}
    [libc] = {each for each in found if each.name == "libc.so.6"}
    later = [libc.with_name(name) for name in LOADED_LATER]
    return loader, sorted({*found, *filter(Path.exists, later)})


def certificates() -> Path:
    """Return the file of the authorities that this machine trusts."""
    candidates = (ssl.get_default_verify_paths().cafile, *CERTIFICATES)
    return next(Path(each) for each in candidates if each and Path(each).is_file())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
