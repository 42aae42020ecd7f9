"""RunPod's Hub requires a file of this name. The worker is `corral serve`, which the image starts."""

import os

os.execvp("corral", ["corral", "serve"])
