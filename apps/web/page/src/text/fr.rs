pub const FR: super::Text = super::en::EN;
