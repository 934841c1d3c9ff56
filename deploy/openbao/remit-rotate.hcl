# The worker beside remit-use: begin an epoch, and destroy the one before.
path "transit/keys" {
  capabilities = ["list"]
}

path "transit/keys/remit-epoch-*" {
  capabilities      = ["create", "read", "update", "delete"]
  denied_parameters = {
    "exportable"             = []
    "allow_plaintext_backup" = []
    "min_decryption_version" = []
  }
}
