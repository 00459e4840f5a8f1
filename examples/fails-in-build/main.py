print("This never runs.")
