"""The shield in the kernel: bans of the edges as nftables sets, and what the machine's settings lack."""
