/** For tests: a row in any table, made from what the schema says of it, so that a new table needs no new test. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'

interface Column {
  table_name: string
  column_name: string
  data_type: string
  is_nullable: 'YES' | 'NO'
  column_default: string | null
  is_identity: 'YES' | 'NO'
  is_generated: string
  check: string | null
}
export interface Rows {
  /** Tables that belong to organisations. */
  tenantTables: string[]
  /** Adds a row; `given` wins. `full`: also what may be empty. References are not looked at. Answers the whole row. */
  add(table: string, given?: Record<string, unknown>, full?: boolean): Promise<Record<string, unknown>>
  client: pg.Client
  end(): Promise<void>
}

/** The first of the values that a CHECK allows. */
function allowed(check: string | null, column: string): string | number | undefined {
  const list = new RegExp(`\\(?${column} = ANY \\(ARRAY\\[(.*?)\\]`).exec(check ?? '')?.[1]
  const first = list?.split(', ')[0]
  if (first === undefined) return undefined
  const text = /^'(.*)'::/.exec(first)?.[1]
  return text ?? Number(first)
}

let next = 0
function valueFor(column: Column): unknown {
  const fixed = allowed(column.check, column.column_name)
  if (fixed !== undefined) return fixed
  switch (column.data_type) {
    case 'uuid':
      return randomUUID()
    case 'ARRAY':
      return []
    case 'jsonb':
      return '{}'
    case 'boolean':
      return false
    case 'timestamp with time zone':
      return new Date(Date.now() + (/expires|until/.test(column.column_name) ? 3600_000 : 0))
    case 'text':
      return randomUUID()
    case 'bytea':
      return Buffer.alloc(32, 1)
    default: {
      // Different each time: it may be a key.
      next += 1
      return next + Number(new RegExp(`${column.column_name} >= (\\d+)`).exec(column.check ?? '')?.[1] ?? 0)
    }
  }
}

/** As the superuser of the test's own database. */
export async function rowsOf(url: string): Promise<Rows> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query("set session_replication_role = 'replica'")
  const { rows: columns } = await client.query<Column>(`
    select c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default, c.is_identity, c.is_generated,
      (select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint k
        where k.conrelid = (quote_ident(c.table_name))::regclass and k.contype = 'c') as check
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' order by c.ordinal_position`)
  return {
    client,
    tenantTables: [
      ...new Set(columns.filter((it) => it.column_name === 'organisation_id').map((it) => it.table_name)),
    ].sort(),
    async add(table, given = {}, full = false) {
      const chosen = columns.filter((column) => {
        if (column.table_name !== table || column.is_generated === 'ALWAYS' || column.is_identity === 'YES')
          return false
        if (column.column_name in given) return true
        return column.column_default === null && (full || column.is_nullable === 'NO')
      })
      const values = chosen.map((column) =>
        column.column_name in given ? given[column.column_name] : valueFor(column),
      )
      const names = chosen.map((column) => `"${column.column_name}"`).join(', ')
      const places = chosen.map((_, index) => `$${index + 1}`).join(', ')
      const { rows } = await client.query<Record<string, unknown>>(
        `insert into "${table}" (${names}) values (${places}) returning *`,
        values,
      )
      return rows[0] ?? {}
    },
    end: () => client.end(),
  }
}
