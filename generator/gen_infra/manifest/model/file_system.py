"""The model of file systems that jobs share.

https://docs.aws.amazon.com/efs/latest/ug/how-it-works.html
https://docs.aws.amazon.com/fsx/latest/LustreGuide/how-it-works.html
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import Model, about, text

LUSTRE_FOLDER = "/fsx"  # of the hosts, with a folder for each FSx for Lustre file system

_CreateOrId = Annotated[
    str,
    text(
        "create|fs-[0-9a-f]{8,40}",
        "create, or an EFS file system id such as fs-0123456789abcdef0",
        "create",
        "fs-0123456789abcdef0",
    ),
]
AccessPointId = Annotated[
    str, text("fsap-[0-9a-f]{8,40}", "an EFS access point id such as fsap-0123456789abcdef0", "fsap-0123456789abcdef0")
]
# https://docs.aws.amazon.com/fsx/latest/APIReference/API_FileSystem.html (FileSystemId)
_FsxId = Annotated[
    str,
    text("fs-[0-9a-f]{8,40}", "an FSx file system id such as fs-0123456789abcdef0", "fs-0123456789abcdef0"),
]
# https://docs.aws.amazon.com/fsx/latest/APIReference/API_LustreFileSystemConfiguration.html (MountName)
_LustreMountName = Annotated[
    str, text("[A-Za-z0-9_-]{1,8}", "1 to 8 letters, digits, '_' and '-', such as abcdefgh", "fsx", "abcdefgh")
]
# https://docs.aws.amazon.com/efs/latest/ug/API_LifecyclePolicy.html (TransitionToIA)
_InfrequentAccessDays = Literal[1, 7, 14, 30, 60, 90, 180, 270, 365]
_PosixId = Annotated[int, Meta(ge=0, le=4_294_967_295)]  # https://docs.aws.amazon.com/efs/latest/ug/API_PosixUser.html


class FileSystem(Model, frozen=True, kw_only=True):
    """An EFS or FSx for Lustre file system.

    `efs: create` makes one with backups, encrypted with the environment's key, a mount target in each zone of the
    network and one access point; it refuses clients without TLS. Others exist already. The hosts mount FSx for Lustre.
    """

    efs: Annotated[
        _CreateOrId | None, about("EFS: `create`, or the id of an existing file system with mount targets.")
    ] = None
    fsx: Annotated[
        _FsxId | None,
        about("FSx for Lustre: the id of an existing file system; requires `mount_name`, and an image that was built."),
    ] = None
    mount_name: Annotated[
        _LustreMountName | None,
        about("The mount name of `fsx`; `aws fsx describe-file-systems` prints it as MountName."),
    ] = None
    access_point: Annotated[
        AccessPointId | None, about("The access point of an existing one; it sets the directory and the user.")
    ] = None
    infrequent_access_days: (
        Annotated[
            _InfrequentAccessDays,
            about("Days without a read before a created one moves a file to Infrequent Access, until its next read."),
        ]
        | None
    ) = None
    uid: (
        Annotated[
            _PosixId,
            about(
                "The user id of all jobs on a created one, whatever their containers' users; default: 1000. With 0 "
                "they may change owners, as root."
            ),
        ]
        | None
    ) = None
    gid: Annotated[_PosixId, about("The group id of all jobs on a created one; default: 1000.")] | None = None

    @property
    def is_created(self) -> bool:
        """Return whether the environment creates it."""
        return self.efs == "create"
