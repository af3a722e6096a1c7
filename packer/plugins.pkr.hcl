# Only for packer 1.7 and later, which installs the Amazon builder with `packer init .`. Older versions have it built in:
# run those on genomics.pkr.hcl alone. One release: modules/image-pipeline/src/install.sh has its checksum.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "1.8.1"
    }
  }
}
