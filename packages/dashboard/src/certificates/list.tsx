/** Certificates that were brought or ordered, and the way to another one. */
import { useQuery } from '@tanstack/react-query'
import { FileKey2, Globe } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './certificates.module.css'
import { certificatesQuery } from './queries.ts'
import { CertificateRow } from './row.tsx'

const Order = later(() => import('./order.tsx'))
const Bring = later(() => import('./bring.tsx'))

export function CertificateList() {
  const me = useMe()
  const { data, error, isPending, refetch } = useQuery(certificatesQuery)
  const [open, setOpen] = useState<'order' | 'bring' | null>(null)
  const manages = may(me, 'network.manage')
  const close = () => setOpen(null)
  const buttons = manages && (
    <div className={css.buttons}>
      <Button icon={<FileKey2 aria-hidden />} onPress={() => setOpen('bring')}>
        {m.certImport}
      </Button>
      <Button icon={<Globe aria-hidden />} onPress={() => setOpen('order')}>
        {m.certOrder}
      </Button>
    </div>
  )
  return (
    <section className={css.section} aria-label={m.certsTitle}>
      <div className={css.head}>
        <div>
          <h2>{m.certsTitle}</h2>
          <p className={css.quiet}>{m.certsText}</p>
        </div>
        {data && data.items.length > 0 && buttons}
      </div>
      {isPending && <Skeleton height="110px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty icon={<Globe aria-hidden />} title={m.certsEmpty} text={m.certsEmptyText} next={buttons} />
      )}
      {data && data.items.length > 0 && (
        <ul className={css.card}>
          {data.items.map((it) => (
            <CertificateRow key={it.id} certificate={it} manages={manages} />
          ))}
        </ul>
      )}
      {open === 'order' && <Order onClose={close} />}
      {open === 'bring' && <Bring onClose={close} />}
    </section>
  )
}
