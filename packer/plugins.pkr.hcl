# Only for packer 1.7 and later, which gets the Amazon builder with `packer init .`; older ones have it built in and are
# given genomics.pkr.hcl alone.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "~> 1.8"
    }
  }
}
