/** Words of certificates, and of trusting this Kalnet on a device. */
const days = (value: number) => (value === 1 ? '1 day' : `${value} days`)

export const settingsCertificates = 'Certificates'
export const certificatesText =
  'They show a browser that it really speaks with your Kalnet. Most of the work is done by itself.'

// What each name is served with
export const hostsTitle = 'What your names are served with'
export const hostsNone = 'No name is served over https yet.'
export const hostSources = {
  local: 'Your own authority',
  own: 'Brought by you',
  acme: 'Ordered from the internet',
}
export const hostUntil = (date: string) => `until ${date}`
export const hostRenews = 'made anew by itself'

// Certificates that were brought or ordered
export const certsTitle = 'Brought or ordered'
export const certsText = 'For names that others on the internet shall trust without setting anything up.'
export const certsEmpty = 'None is needed at home'
export const certsEmptyText =
  'Your own authority serves every name. Order one, or bring one, for names that are open to the world.'
export const certOrder = 'Order one'
export const certImport = 'Bring one'
export const certStates = {
  ordering: 'Being ordered',
  valid: 'Valid',
  expiring: 'Ends soon',
  expired: 'Has ended',
  failed: 'Not given',
  revoked: 'Revoked',
}
export const certSteps = {
  order: 'Asking for it',
  challenge: 'Showing that the name is yours',
  finalize: 'Having it signed',
  download: 'Fetching it',
}
export const certIssuedBy = (issuer: string) => `by ${issuer}`
export const certLeft = (left: number) =>
  left < 0 ? `ended ${days(-left)} ago` : left === 0 ? 'ends today' : `${days(left)} left`
export const certNext = 'Tried again by itself'
export const certActions = (name: string) => `Actions for ${name}`
export const certDetails = 'Details'
export const certRenew = 'Renew now'
export const certRenewed = 'It is being ordered again.'
export const certRevoke = 'Revoke…'
export const certRevokeTitle = 'Revoke this certificate?'
export const certRevokeText = (name: string) =>
  `Nobody is to trust it any more; that cannot be taken back. ${name} is served by your own authority until another one is there.`
export const certRevokeAction = 'Revoke it'
export const certRevoked = 'It is revoked.'
export const certRemove = 'Remove…'
export const certRemoveTitle = 'Remove this certificate?'
export const certRemoveText = (name: string) =>
  `It is forgotten together with its key. ${name} is served by your own authority from then on.`
export const certRemoveAction = 'Remove it'
export const certRemoved = 'It is removed.'
export const certNames = 'Names'
export const certFingerprint = 'Fingerprint'
export const certSerial = 'Serial number'
export const certKey = 'Kind of key'
export const certFrom = 'Valid from'
export const certUntil = 'Valid until'

// Ordering and bringing
export const orderTitle = 'Order a certificate'
export const orderText =
  'An authority on the internet gives it for nothing, once it has seen that the name is yours. It is renewed by itself.'
export const orderNames = 'Names'
export const orderNamesHelp = 'One on each line. *.example.org stands for every name right below it.'
export const orderNamesExample = 'photos.example.org'
export const orderNamesWrong = 'Names like photos.example.org, one on each line.'
export const orderHow = 'How is it shown that they are yours?'
export const orderHttp = 'By a page here'
export const orderHttpMore = 'Port 80 must be reached from the internet. Not for names with a star.'
export const orderDns = 'By an entry in DNS'
export const orderDnsMore = 'Nothing need be reached. Your DNS provider must be set up in the configuration.'
export const orderStar = 'Names with a star are only shown by an entry in DNS.'
export const orderAgree = 'I agree to the terms of the authority'
export const orderAgreeWrong = 'Without it, nothing can be ordered.'
export const orderAction = 'Order it'
export const orderBegun = 'It is being ordered. That takes a minute or two.'
export const importTitle = 'Bring a certificate'
export const importText = 'In the form PEM, with all that stands between it and its authority.'
export const importCertificate = 'Certificate and chain'
export const importKey = 'Private key'
export const importKeyHelp = 'It is kept sealed and never shown again.'
export const importCertificateWrong = 'It begins with -----BEGIN CERTIFICATE-----.'
export const importKeyWrong = 'It begins with -----BEGIN PRIVATE KEY-----, or names RSA or EC.'
export const importAction = 'Use it'
export const importDone = 'It is served from now on.'

// Your own authority, and devices
export const authorityTitle = 'Your own authority'
export const authorityText =
  'It vouches for every name here. Each device is told once to trust it; then no browser warns any more.'
export const authorityNone = 'There is none'
export const authorityNoneText =
  'This Kalnet answers on this machine alone, or somebody else in front of it takes care of https.'
export const authorityUntil = 'Valid until'
export const authorityDevices = 'Set up a device'

export const trustTitle = 'Make this device trust your Kalnet'
export const trustText =
  'Once on each device, about a minute. Then the pages of your home open without a warning.'
export const trustNone = 'Nothing to do here'
export const trustNoneText = 'This Kalnet has no authority of its own, so no device need be told about it.'
export const trustCompare = 'Compare before you trust'
export const trustCompareText = 'Your device shows this fingerprint. It must be the same one, sign for sign.'
export const trustDevice = 'Which device?'
export const trustDevices = {
  ios: 'iPhone, iPad',
  android: 'Android',
  windows: 'Windows',
  macos: 'Mac',
  linux: 'Linux',
  firefox: 'Firefox',
  tv: 'Television',
}
export const trustDownload = 'Download the certificate'
export const trustSteps = {
  ios: [
    'Press the button in Safari and allow the download.',
    'Open Settings. At the top stands “Profile Downloaded”: open it and press Install.',
    'Then Settings, General, About, Certificate Trust Settings: switch on the one of your Kalnet.',
  ],
  android: [
    'Press the button to download the certificate.',
    'Open Settings and search for “CA certificate”. Choose it, and Install anyway.',
    'Choose the file you downloaded. Some apps, Firefox among them, ask once more.',
  ],
  windows: [
    'Press the button, then open the file.',
    'Press Install Certificate and choose Current User.',
    'Choose “Place all certificates in the following store”, Browse, Trusted Root Certification Authorities. Finish.',
  ],
  macos: [
    'Press the button and open the file.',
    'Open System Settings, Privacy & Security, Profiles, and install the one of your Kalnet.',
    'Close the browser completely and open it again.',
  ],
  linux: [
    'Press the button to download the certificate.',
    'On Debian and Ubuntu copy it to /usr/local/share/ca-certificates/ with the ending .crt and run sudo update-ca-certificates.',
    'On Fedora copy it to /etc/pki/ca-trust/source/anchors/ and run sudo update-ca-trust.',
    'Chrome and Firefox keep lists of their own: open their settings, search for certificates, Authorities, Import.',
  ],
  firefox: [
    'Press the button to download the certificate.',
    'Open Settings, search for certificates and press View Certificates.',
    'Under Authorities press Import, choose the file, and tick “Trust this CA to identify websites”.',
  ],
  tv: [
    'Download the certificate on a computer and put it on a USB stick.',
    'Open the settings of the television: Network or Security, then Install certificate from USB.',
    'Many televisions have no such place. They then open your services by their address in the network, with a warning.',
  ],
}
export const trustPhone = 'On a phone'
export const trustPhoneText = 'Point its camera here to open this page there.'
export const trustQr = 'Code with the address of this page'
export const trustBack = 'To Kalnet'
