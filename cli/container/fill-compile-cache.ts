/**
 * Reads all that a house and its gateway read at their start, and does nothing with it: with NODE_COMPILE_CACHE the
 * compiled code is kept when this ends. Run while the images are built.
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
