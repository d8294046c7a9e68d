/** Certificates: the house's own authority, those that were brought or ordered, what each name is served with. */
import { OwnAuthority } from '../certificates/authority.tsx'
import { Hosts } from '../certificates/hosts.tsx'
import { CertificateList } from '../certificates/list.tsx'
import * as m from '../messages/index.ts'
import { Frame } from './frame.tsx'

export default function CertificatesPage() {
  return (
    <Frame here="certificates" title={m.settingsCertificates} text={m.certificatesText}>
      <OwnAuthority />
      <CertificateList />
      <Hosts />
    </Frame>
  )
}
