terraform {
  # On this machine only. Copy the state away before you delete this folder.
  backend "local" {
    path = "terraform.tfstate"
  }
}
