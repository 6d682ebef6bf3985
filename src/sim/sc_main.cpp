// libsystemc brings a main that wants this symbol; trnsim has its own main (docs/architecture.md).

extern "C" int sc_main(int /*argc*/, char* /*argv*/[]) { return 0; }
