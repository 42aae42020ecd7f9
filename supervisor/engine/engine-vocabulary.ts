/**
 * llama-server's own words that may appear in a line while it serves: names of values, components and results. Few of them
 * are everyday words, because a word in this list is shown wherever it appears in a line.
 */
const words = `
  a abort aborted got exception cleaning exit better budget empty finished further least looking after all alloc allocate allocated already an and are at attention available backend backends base batch
  batches be because before best buf_size buffer buffers but by cache cached call cancel cannot capacity cells chain chat checking
  checkpoint checkpoints child clear cleared clearing client completed completions compute context converted copy could count
  create created creating current data deallocate decline declined decode decoding decreasing defer deferred device devices did
  disabled do done draft drafts driver due effective embedding embeddings enabled encode encountered end entering entries entry
  erase erased erasing error eval evaluate exceed exceeds existing exiting expected failed fatal find first flash for forcing found
  free freed freeing from front function future generated generation global graph graphs grammar host http id idle illegal in
  increasing index init initialize initialized initializing input insufficient internal invalid is item items kernel kv lack last
  launch launching layer length limit limits list load loaded loading logits loop lost main match mask max media memory min
  model module ms must n need needed new no node nodes none not number object of off offset on or out output outputs pad parallel
  parent parse parser past pending per place pool pop position positions posting prepare prepared previous processed processing
  progress prompt prompts pushed queue queued ran range re reached reading realloc reallocating reallocs reason received
  releasing remaining remove removed removing request requests reserve reserved reserving reset respawning restore restored
  restoring result results ret retry retrying reuse reused reusing rollback room row run running same sampler samplers sampling
  save saved saving second seconds selected send sending sent sequence sequences server set shift shifting sim similarity size
  skip skipped skipping sleep sleeping slot slots so space speculative split start starting state status step still stop stopped
  stopping stream streaming streams support supported task tasks tensor tensors terminate terminating test text than the thold
  thread threads time timeout to token tokens too total took trimmed truncated try trying type unable unauthorized unexpected
  unified unknown unloading unsupported until unused up update updated updating usage use used using value vocab wait waiting
  warmup warning was while will with without would yet yielding zero
  Adding Anthropic API CPU CUDA Compute Chat Completions DELETE EOS Failed GPU GPUs HIP HTTP Invalid JSON KV Key LCP LRU
  MB MiB NEXT_RESPONSE OpenAI ROCm Request Responses SIGINT SWA SYCL Vulkan VRAM MUL_MAT operator
  GiB KiB B s us x sec lcp est batch_size n_ubatch bs
  adapters_lora_are_same batch.n_tokens cancel_tasks conv_id create_checkpoint data_size dev_max do_checkpoint f_keep
  f_sim f_sim_best forward graph_compute graph_reserve handle_last_sampled has_embd id_slot id_task idx init_batch is_child is_infill is_processing is_swa
  kv_unified main/do_checkpoint max_nodes memory_seq_rm memory_update n_accepted n_batch n_batch_tokens n_cache n_cache_reuse n_children n_ctx n_ctx_checkpoints
  n_ctx_seq n_ctx_slot n_decoded n_discard n_draft n_draft_max n_gen n_indent n_keep n_kv n_left n_outputs n_outputs_max
  n_parallel n_past n_predict n_processing_slots n_prompt_tokens n_remaining n_seqs n_slots n_stream n_suffix_take n_prefix_take
  n_swa n_tokens n_tokens_max n_ubatch off output_reserve pos_max pos_min pos_next process_ubatch progress prompt_save rs_seq sched_reserve
  seq_id seq_rm set_abort_callback set_adapters_lora set_embeddings sim_best size_mib state_read state_write
  t_last task.n_tokens tg_3s try_decode update_chat update_slots embd_batch find_slot post_decode pre_decode
  get_slot_n resolve_fused_ops sched copies nil
`;

const known = new Set(words.split(/\s+/).filter((word) => word !== ''));
const libraryName = /^(?:ggml|llama|common|gguf|clip|mtmd|server|cuda|cublas|hip|hipblas|nccl|vk)[A-Z_]\w*$/;
const cppName =
  /^(?:std|vector|basic_string|string|map|unordered_map|vk|ggml|nlohmann|function)::\w+(?:::\w+)*$/;

/** Whether a word is llama-server's own, and not part of a request. */
export function isEngineWord(word: string): boolean {
  return known.has(word) || libraryName.test(word) || cppName.test(word);
}
