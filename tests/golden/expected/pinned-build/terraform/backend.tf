terraform {
  # On this machine only. Back up the state before you delete this folder.
  backend "local" {
    path = "terraform.tfstate"
  }
}
