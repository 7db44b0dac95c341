"""Enums and units that every layer shares.

Values are the strings stored in the database and sent over the API: never rename one, add a new one and migrate.
An attribute that is not known has no row at all; no enum here has an "unknown" member, so unknown never means "no".
"""

from enum import StrEnum


class Sex(StrEnum):
    """Sex (性别) as seen or recorded, GB/T 2261.1 without its "unknown" and "unspecified" codes."""

    MALE = "male"
    FEMALE = "female"


class Basis(StrEnum):
    """How a value came to be known (依据). Measured and estimated are always told apart."""

    MEASURED = "measured"  # 实测: a ruler, a laboratory
    DOCUMENTED = "documented"  # 证件: read from a paper or register
    REPORTED = "reported"  # 家属陈述: said by somebody who knows the person
    HEARD = "heard"  # 访谈听到: said by the unidentified person
    ESTIMATED = "estimated"  # 目测: judged by eye


class ClueConfidence(StrEnum):
    """How sure the one who heard something is of it (把握程度)."""

    SURE = "sure"  # 听清
    LIKELY = "likely"  # 大致听清
    UNSURE = "unsure"  # 没把握


class Build(StrEnum):
    """Body build (体型)."""

    THIN = "thin"
    MEDIUM = "medium"
    STOUT = "stout"


class BloodGroup(StrEnum):
    """ABO blood group (血型)."""

    A = "a"
    B = "b"
    AB = "ab"
    O = "o"


class Handedness(StrEnum):
    """The hand that writes, eats and works (惯用手)."""

    RIGHT = "right"
    LEFT = "left"
    BOTH = "both"


class Glasses(StrEnum):
    """Whether somebody wears glasses for the distance or all day (眼镜)."""

    WORN = "worn"
    NOT_WORN = "not_worn"


class Literacy(StrEnum):
    """How well somebody reads and writes Chinese characters (识字程度)."""

    NONE = "none"  # 不识字
    SOME = "some"  # 识少量字: the own name, numbers
    READS = "reads"  # 能读写


class AttributeKind(StrEnum):
    """The single-valued facts of a profile. Names, places and marks have tables of their own."""

    SEX = "sex"  # 性别: a Sex
    AGE = "age"  # 年龄: years at the as-of date
    BIRTH_DATE = "birth_date"  # 出生日期: ISO 8601 date
    HEIGHT = "height"  # 身高: centimetres
    BUILD = "build"  # 体型: a Build
    ETHNICITY = "ethnicity"  # 民族: two-digit code of GB/T 3304
    BLOOD_GROUP = "blood_group"  # 血型: a BloodGroup
    ACCENT = "accent"  # 口音: division code (GB/T 2260, 2, 4 or 6 digits) of the accent's region
    HANDEDNESS = "handedness"  # 惯用手: a Handedness
    GLASSES = "glasses"  # 眼镜: a Glasses
    LITERACY = "literacy"  # 识字程度: a Literacy
    OCCUPATION = "occupation"  # 职业: free text
    SCHOOL = "school"  # 就读学校: free text, a name or a part of one
    EMPLOYER = "employer"  # 工作单位: free text, a name or a part of one
    CLOTHING = "clothing"  # 衣着: free text
    BELONGINGS = "belongings"  # 随身物品: free text
    HEALTH = "health"  # 健康状况: free text
    MENTAL_STATE = "mental_state"  # 智力、精神状态: free text
    REMARKS = "remarks"  # 备注: free text


class NameKind(StrEnum):
    """What sort of name (姓名类别)."""

    FULL = "full"  # 姓名
    HEARD = "heard"  # 自述姓名, characters uncertain
    NICKNAME = "nickname"  # 小名、绰号
    FORMER = "former"  # 曾用名


class KinRelation(StrEnum):
    """What a relative is to the person (亲属关系): "my son" is SON."""

    FATHER = "father"  # 父亲
    MOTHER = "mother"  # 母亲
    SPOUSE = "spouse"  # 配偶
    SON = "son"  # 儿子
    DAUGHTER = "daughter"  # 女儿
    BROTHER = "brother"  # 兄弟
    SISTER = "sister"  # 姐妹
    OTHER = "other"  # 其他亲属, or it was not said which


class PlaceKind(StrEnum):
    """What a place means to the person (地点类别)."""

    NATIVE = "native"  # 籍贯
    REGISTERED = "registered"  # 户籍地
    RESIDENCE = "residence"  # 常住地
    MENTIONED = "mentioned"  # 提到的地名


class MarkKind(StrEnum):
    """Kind of bodily mark (体表特征)."""

    SCAR = "scar"  # 疤痕
    SURGICAL_SCAR = "surgical_scar"  # 手术疤痕
    BIRTHMARK = "birthmark"  # 胎记
    MOLE = "mole"  # 痣
    TATTOO = "tattoo"  # 纹身
    AMPUTATION = "amputation"  # 截肢
    DEFORMITY = "deformity"  # 畸形
    MISSING_TEETH = "missing_teeth"  # 缺牙
    OTHER = "other"  # 其他


class BodyRegion(StrEnum):
    """Where on the body (部位)."""

    HEAD = "head"  # 头部
    FACE = "face"  # 面部
    NECK = "neck"  # 颈部
    CHEST = "chest"  # 胸部
    ABDOMEN = "abdomen"  # 腹部
    BACK = "back"  # 背部
    SHOULDER = "shoulder"  # 肩
    UPPER_ARM = "upper_arm"  # 上臂
    FOREARM = "forearm"  # 前臂
    HAND = "hand"  # 手
    HIP = "hip"  # 臀
    THIGH = "thigh"  # 大腿
    LOWER_LEG = "lower_leg"  # 小腿
    FOOT = "foot"  # 足
    MOUTH = "mouth"  # 口腔


class BodySide(StrEnum):
    """The person's own side (侧), not the viewer's."""

    LEFT = "left"
    RIGHT = "right"
    MIDDLE = "middle"


class EvidenceKind(StrEnum):
    """The terms that a candidate's score is made of, one comparator file each in `matcher.evidence`."""

    FACE = "face"
    SEX = "sex"
    AGE = "age"
    HEIGHT = "height"
    BUILD = "build"
    ETHNICITY = "ethnicity"
    BLOOD_GROUP = "blood_group"
    NAME = "name"
    PLACE = "place"
    ACCENT = "accent"
    MARKS = "marks"
    TIME = "time"
    KIN = "kin"
    SCHOOL = "school"
    EMPLOYER = "employer"
    OCCUPATION = "occupation"
    PHONE = "phone"
    HANDEDNESS = "handedness"
    GLASSES = "glasses"
    LITERACY = "literacy"
    CLOTHING = "clothing"
    BELONGINGS = "belongings"
    TRAVEL = "travel"


class Strength(StrEnum):
    """Verbal scale of a likelihood ratio (证据强度), `shared/domain.md`: 1-2 none ... above 10^6 extremely strong."""

    AGAINST = "against"  # below 1: speaks against
    NONE = "none"
    WEAK = "weak"
    MODERATE = "moderate"
    MODERATELY_STRONG = "moderately_strong"
    STRONG = "strong"
    VERY_STRONG = "very_strong"
    EXTREMELY_STRONG = "extremely_strong"


class Verdict(StrEnum):
    """What a candidate's evidence comes to, in one word (综合判断): a lead, never a decision."""

    SUPPORTED = "supported"  # 证据支持
    POSSIBLE_RELATIVE = "possible_relative"  # 可能是亲属或双胞胎: the face is high, other facts conflict
    UNDECIDED = "undecided"  # 证据不足
    UNLIKELY = "unlikely"  # 证据不支持


class ListVerdict(StrEnum):
    """What a list of candidates comes to (候选列表结论)."""

    CANDIDATES = "candidates"  # 有可靠候选
    POSSIBLE_RELATIVES = "possible_relatives"  # 仅有可能的亲属
    NONE_RELIABLE = "none_reliable"  # 无可靠候选


class GalleryKind(StrEnum):
    """What a searched record is: a missing-person report or a case of a station."""

    REPORT = "report"
    CASE = "case"
