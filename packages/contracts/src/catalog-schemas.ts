/** JSON Schemas of the catalog's files, for editors; kept current in docs/schema by a test. */
import { recipeFileFormat } from './recipe.ts'
import { template } from './template.ts'

const schema = (title: string, from: typeof template | typeof recipeFileFormat): object => ({
  title,
  ...(from.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as object),
})

/** By file name in docs/schema. */
export const catalogSchemas = (): Record<string, object> => ({
  'template.schema.json': schema('catalog/templates/<id>/template.yaml', template),
  'recipe.schema.json': schema('catalog/images/<name>/recipe.yaml', recipeFileFormat),
})
