/**
 * Loads the modules of supervisor and gateway without running them, so that NODE_COMPILE_CACHE stores their compiled
 * code. Runs while the images are built.
 */
import '../../gateway/start-gateway.ts';
import '../../gateway/main.ts';
import '../../gateway/tracing/tracing.ts';
import '../../log/log-files.ts';
import '../keys/keys-command.ts';
import '../run-command.ts';
import '../serve/prepare-deployment.ts';
import '../serve/serve-command.ts';
import '../serve/serve.ts';
import './health-check.ts';
