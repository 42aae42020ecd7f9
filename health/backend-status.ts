/**
 * What is known of a backend.
 * starting: its process is coming up and has not bound its address · loading: bound, the model is being read ·
 * ready: it serves · restarting: it ended and a new one is on its way · failed: it will not come back ·
 * draining: it finishes what runs and takes nothing new.
 */
export type BackendStatus = 'starting' | 'loading' | 'ready' | 'restarting' | 'failed' | 'draining';
