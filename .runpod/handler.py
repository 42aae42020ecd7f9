"""RunPod's Hub asks for a file of this name. The worker itself is `corral serve`, which the image starts."""

import os

os.execvp("corral", ["corral", "serve"])
