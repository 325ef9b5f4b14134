# A delivery stack with one of each resource that such stacks have: the trial of `scripts/try_terraform.py`.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

# No settings: `homeport engine env` says where AWS is.
provider "aws" {}

variable "word" {
  description = "What an update changes."
  default     = "one"
}

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_availability_zones" "zones" { state = "available" }
data "aws_partition" "here" {}
