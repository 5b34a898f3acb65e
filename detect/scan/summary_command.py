def main(argv):
    pass
