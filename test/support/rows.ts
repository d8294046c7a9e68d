/** What a journey cannot wait for: the rows of a running product are set back in time, or to what an older release wrote. */
import { join } from 'node:path'
import { socketUrl } from '@kalnet/server/core/postgres/postgres'
import pg from 'pg'
import type { Product } from './product.ts'

/** Answers how many rows were changed. */
export async function changeRows(product: Pick<Product, 'home'>, statement: string): Promise<number> {
  const database = new pg.Client({ connectionString: socketUrl(join(product.home, 'run/postgres')) })
  await database.connect()
  try {
    return (await database.query(statement)).rowCount ?? 0
  } finally {
    await database.end()
  }
}
