"""How well the list of lines tells what two models do: its length, repetitions, and what stands first."""
