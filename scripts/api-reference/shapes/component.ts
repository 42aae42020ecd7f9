import { z } from 'zod';

/** The shapes that the document lists among its components, by name. */
export const components = z.registry<{ id: string }>();

/**
 * Names a part of a shape, so that clients that are generated from the document have one type of that name, instead of one
 * with an invented name for each place.
 */
export function component<Shape extends z.ZodType>(id: string, shape: Shape): Shape {
  const known = components.get(shape);
  if (known !== undefined && known.id !== id) throw new Error(`the shape ${known.id} is also called ${id}`);
  components.add(shape, { id });
  return shape;
}
