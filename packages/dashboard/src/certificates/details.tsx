/** All that a certificate says of itself. */
import type { Certificate } from '@kalnet/contracts/certificate'
import { exactly } from '../format.ts'
import * as m from '../messages/index.ts'
import { Dialog } from '../ui/dialog.tsx'
import css from './certificates.module.css'
import { nameOf } from './words.tsx'

export default function Details({
  certificate: it,
  onClose,
}: {
  certificate: Certificate
  onClose: () => void
}) {
  const facts: [string, string | null][] = [
    [m.certNames, it.names.join(', ')],
    [m.certFrom, it.notBefore && exactly(it.notBefore)],
    [m.certUntil, it.notAfter && exactly(it.notAfter)],
    [m.certKey, it.keyType],
    [m.certSerial, it.serial],
    [m.certFingerprint, it.fingerprint],
  ]
  return (
    <Dialog title={nameOf(it)} onClose={onClose}>
      <dl className={css.facts}>
        {facts.map(([word, value]) =>
          value === null ? null : (
            <div key={word}>
              <dt>{word}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </Dialog>
  )
}
