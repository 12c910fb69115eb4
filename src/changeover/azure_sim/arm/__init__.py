"""The stage's control plane: Azure Resource Manager as far as model deployments go, on a clock that can be moved."""
