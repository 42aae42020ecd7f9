import { appendFields } from '../api/json-text.ts';
import type { ApiRequest } from '../api/parse-request-body.ts';
import { invalidValue } from '../errors/catalogue.ts';

/**
 * The same request to one of a router's models, by the name that its key may have: the last word on it in the body. A form
 * names its model in a way that is not looked into, so it is refused.
 */
export function addressModel(request: ApiRequest, model: string, type: string | undefined): ApiRequest {
  if (isForm(type)) throw invalidValue('content-type', 'application/json, as several models are served here');
  return { ...request, body: withModel(model, request.body, type) };
}

/** As addressModel, for what is not yet known to go to a router. */
export function withModel(model: string, body: Buffer, type: string | undefined): Buffer {
  return isForm(type) ? body : appendFields(body, `"model":${JSON.stringify(model)}`);
}

const isForm = (type: string | undefined) => type?.startsWith('multipart/form-data') ?? false;
