# Web, worker and sequencer: wrap and unwrap, and see that a key is as it was made.
# "encrypt" without "create": a key that is missing must stay missing.
path "transit/keys/remit-epoch-*" {
  capabilities = ["read"]
}

path "transit/encrypt/remit-epoch-*" {
  capabilities = ["update"]
}

path "transit/decrypt/remit-epoch-*" {
  capabilities = ["update"]
}
