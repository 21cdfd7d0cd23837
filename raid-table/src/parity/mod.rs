//! XOR, the field GF(2^8), and recovery of lost members.
