"""What names, places and companies of a simulated account are made of.

Written for this sandbox: nobody real is meant. Domains end in names that RFC 2606 reserves; phone numbers come from
555-0100 to 555-0199, which North America keeps free for fiction.
"""


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _split(
    "Ada Adrian Aisha Alan Alice Amara Amir Ana Andrei Anna Antonio Aoife Arjun Astrid Beatriz Ben Bianca Björn Bruno Camille "
    "Carlos Carmen Charlotte Chen Chloé Claire Daniel Daria David Diego Dmitri Elena Elias Elif Emeka Emil Emma Erik Esther "
    "Eva Fatima Felix Fiona Francesca Freya Gabriel Grace Greta Hanna Haruto Helena Henry Hugo Ibrahim Ida Ines Ingrid Isabel "
    "Ivan Jack Jakob Jana Javier Jonas José Julia Kaito Karim Katarzyna Kofi Lars Laura Layla Lena Leo Lina Louis Lucía Luis "
    "Magnus Maja Marco Margaret Maria Mateo Maya Mei Miguel Mila Mohammed Nadia Naomi Niamh Nikolai Noah Nora Olga Oliver Omar "
    "Oscar Paul Petra Priya Rafael Rosa Ruth Ryan Sakura Samuel Sara Sofía Stefan Tariq Thomas Valentina Victor Wei Yara Yuki "
    "Zoë Zuzana"
)
LAST_NAMES = _split(
    "Abbott Adeyemi Ahmed Almeida Andersen Bailey Baker Becker Bergström Bianchi Blanc Bondarenko Brown Carter Castro Chang "
    "Chowdhury Clarke Cohen Costa Davies Delgado Díaz Dubois Edwards Eriksen Evans Fernández Fischer Fontaine Foster García Gray "
    "Grant Gruber Haddad Hall Hansen Harris Hoffmann Horváth Hughes Ibáñez Ito Ivanova Jensen Johansson Jones Kaya Keller Kelly "
    "Khan Kim Klein Kowalski Kumar Larsen Lee Lefèvre Lindqvist Lopez Mancini Marino Martin Mendes Meyer Moore Morgan Moreau "
    "Müller Murphy Mwangi Nakamura Nguyen Nielsen Novak Nowak Nuñez Obi Okafor Oliveira Olsen Owens Park Patel Peeters Perez "
    "Petrov Popescu Price Quinn Ramos Reid Ricci Roberts Romano Rossi Roux Ruiz Ryan Sanders Santos Sato Schmidt Schneider Shah "
    "Silva Singh Smith Sokolov Sousa Stone Suzuki Svensson Takahashi Taylor Thomas Torres Turner Van-Dijk Vargas Virtanen Wagner "
    "Walker Wang Weber White Williams Wilson Wójcik Wright Yamamoto Yilmaz Young Zhang Zimmermann"
)
JOB_TITLES = (
    "Account Executive", "Account Manager", "Accountant", "Analyst", "Architect", "Area Sales Manager", "Buyer", "CEO", "CFO",
    "CTO", "Chief Operating Officer", "Consultant", "Controller", "Customer Success Manager", "Data Engineer", "Designer",
    "Director of Finance", "Director of Marketing", "Engineer", "Executive Assistant", "Facilities Manager", "Founder",
    "HR Manager", "Head of IT", "Head of Operations", "Head of Sales", "IT Administrator", "Legal Counsel", "Logistics Manager",
    "Managing Director", "Marketing Manager", "Office Manager", "Operations Manager", "Owner", "Plant Manager", "President",
    "Procurement Lead", "Product Manager", "Production Planner", "Project Manager", "Purchasing Manager", "Quality Manager",
    "Research Scientist", "Sales Engineer", "Sales Representative", "Software Developer", "Store Manager", "Support Engineer",
    "Technician", "VP of Sales",
)  # fmt: skip
PLACES = (
    ("Amsterdam", None, "10", "Netherlands"), ("Atlanta", "Georgia", "303", "United States"),
    ("Austin", "Texas", "787", "United States"), ("Barcelona", "Catalonia", "080", "Spain"),
    ("Berlin", "Berlin", "101", "Germany"), ("Boston", "Massachusetts", "021", "United States"),
    ("Brno", None, "602", "Czechia"), ("Chicago", "Illinois", "606", "United States"),
    ("Copenhagen", None, "21", "Denmark"), ("Denver", "Colorado", "802", "United States"),
    ("Dublin", "Leinster", "D", "Ireland"), ("Göteborg", None, "411", "Sweden"),
    ("Hamburg", "Hamburg", "200", "Germany"), ("Helsinki", None, "001", "Finland"),
    ("Kraków", "Małopolska", "31-", "Poland"), ("Leeds", "West Yorkshire", "LS", "United Kingdom"),
    ("Lisboa", None, "11", "Portugal"), ("London", "Greater London", "EC", "United Kingdom"),
    ("Lyon", "Auvergne-Rhône-Alpes", "690", "France"), ("Madrid", "Madrid", "280", "Spain"),
    ("Melbourne", "Victoria", "30", "Australia"), ("Milano", "Lombardia", "201", "Italy"),
    ("München", "Bayern", "803", "Germany"), ("New York", "New York", "100", "United States"),
    ("Osaka", None, "53", "Japan"), ("Oslo", None, "01", "Norway"), ("Paris", "Île-de-France", "750", "France"),
    ("Porto", None, "40", "Portugal"), ("San José", "California", "951", "United States"),
    ("São Paulo", "SP", "013", "Brazil"), ("Seattle", "Washington", "981", "United States"),
    ("Sydney", "New South Wales", "20", "Australia"), ("Toronto", "Ontario", "M", "Canada"),
    ("Wien", "Wien", "10", "Austria"), ("Zürich", "ZH", "80", "Switzerland"),
)  # fmt: skip
STREETS = _split("Market Harbour Mill Station Garden Bridge Church Park Canal Castle Orchard River School Tower Victoria Meadow")
AREA_CODES = _split("202 206 212 213 303 312 404 415 503 512 602 617 702 713 786 919")
COMPANY_FIRST = _split(
    "Alder Amber Apex Arbor Atlas Aurora Beacon Birch Blue Bright Canyon Cedar Cobalt Copper Coral Crest Delta Eagle Ember "
    "Falcon Fern Granite Harbor Hazel Helix Horizon Indigo Iron Ivory Juniper Keystone Lark Linden Lumen Maple Meridian Nimbus "
    "North Oak Onyx Orchid Pine Pioneer Quartz Raven Red Ridge River Sable Sage Silver Slate Solar Spruce Sterling Summit Terra "
    "Topaz Umber Vista Willow Zephyr"
)
COMPANY_SECOND = _split(
    "Analytics Bakery Bank Brands Builders Capital Care Chemicals Clinics Components Consulting Dental Design Electric Energy "
    "Engineering Films Finance Foods Freight Furniture Games Glass Health Hotels Instruments Insurance Labs Legal Logistics "
    "Machines Materials Media Metals Mobility Motors Networks Optics Outdoor Packaging Paper Partners Pharma Plastics Power "
    "Press Publishing Robotics Security Shipping Software Solutions Studios Supply Systems Textiles Tools Toys Travel Water"
)
COMPANY_FORMS = ("", "", "Inc.", "LLC", "GmbH", "Ltd", "AB", "S.A.", "Group", "& Co.")
ENDINGS = ("example.com", "example.com", "example.org", "test")
PRODUCTS = _split(
    "Valve Pump Sensor Gateway Panel Filter Bearing Motor Relay Cable Licence Support Training Installation Inspection"
)
SUBJECTS = (
    "Cannot sign in", "Invoice does not match order", "Delivery is late", "Part arrived damaged", "Question about a licence",
    "Please change our address", "Sensor reads zero", "Request for a quote", "Password reset", "Export fails",
)  # fmt: skip
